<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="es">
<context>
    <name>Cloud</name>
    <message>
        <source>La nube le presta la función {role} hasta el {date}: quedan {days} días.</source>
        <translation>The cloud lends you the role {role} until {date}: {days} days left.</translation>
    </message>
    <message>
        <source>La nube le presta la función {role} solo hasta el {date}: quedan {days} días. Renuévela mientras haya conexión.</source>
        <translation>The cloud lends you the role {role} only until {date}: {days} days left. Renew it while there is a connection.</translation>
    </message>
    <message>
        <source>El préstamo de su función venció el {date}. Sigue trabajando como {role}; para recuperar lo demás, renueve o entre otra vez en la nube.</source>
        <translation>The loan of your role ended on {date}. You go on working as {role}; to have the rest back, renew or sign in to the cloud again.</translation>
    </message>
    <message>
        <source>Pidiendo un código…</source>
        <translation>Asking for a code…</translation>
    </message>
    <message>
        <source>Esperando a que entre en la otra pantalla…</source>
        <translation>Waiting for you to sign in on the other screen…</translation>
    </message>
    <message>
        <source>Entre con su cuenta en el navegador que se ha abierto. Vereda espera cinco minutos.</source>
        <translation>Sign in with your account in the browser that opened. Vereda waits five minutes.</translation>
    </message>
    <message>
        <source>Renovando la función…</source>
        <translation>Renewing the role…</translation>
    </message>
    <message>
        <source>Hecho: ha entrado en su cuenta de la nube.</source>
        <translation>Done: you are signed in to your cloud account.</translation>
    </message>
    <message>
        <source>Hecho: la función está renovada.</source>
        <translation>Done: the role is renewed.</translation>
    </message>
    <message>
        <source>Su cuenta vale, pero ningún servidor ha prestado una función nueva: sigue la de antes. Pregunte al médico responsable si el centro está unido a un servidor.</source>
        <translation>Your account is good, but no server has lent a new role: the one from before stands. Ask the responsible physician whether the clinic is linked to a server.</translation>
    </message>
    <message>
        <source>Cancelado. Nada ha cambiado.</source>
        <translation>Cancelled. Nothing has changed.</translation>
    </message>
    <message>
        <source>El código caducó antes de que nadie entrara con él. Pida otro.</source>
        <translation>The code expired before anybody signed in with it. Ask for another.</translation>
    </message>
    <message>
        <source>La nube rechazó la entrada. Repítala con su propia cuenta o pida acceso a quien administra las cuentas.</source>
        <translation>The cloud refused the sign-in. Repeat it with your own account, or ask whoever manages the accounts for access.</translation>
    </message>
    <message>
        <source>El navegador no volvió en cinco minutos. Repita, o entre con un código.</source>
        <translation>The browser did not come back within five minutes. Repeat, or sign in with a code.</translation>
    </message>
    <message>
        <source>En este equipo no se abre ningún navegador. Entre con un código.</source>
        <translation>No browser opens on this computer. Sign in with a code.</translation>
    </message>
    <message>
        <source>La entrada que se guardó aquí ya no vale. Entre otra vez, con un código o con el navegador.</source>
        <translation>The sign-in kept here is no longer good. Sign in again, with a code or with the browser.</translation>
    </message>
    <message>
        <source>La función que llegó no la firma el servidor de este centro y no se usa. Sigue la de antes; avise a soporte.</source>
        <translation>The role that arrived is not signed by the server of this clinic and is not used. The one from before stands; tell support.</translation>
    </message>
    <message>
        <source>Entrar con un código</source>
        <translation>Sign in with a code</translation>
    </message>
    <message>
        <source>Entrar con el navegador</source>
        <translation>Sign in with the browser</translation>
    </message>
    <message>
        <source>Renovar la función</source>
        <translation>Renew the role</translation>
    </message>
    <message>
        <source>Cancelar</source>
        <translation>Cancel</translation>
    </message>
    <message>
        <source>Volver</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Cuenta en la nube</source>
        <translation>Cloud account</translation>
    </message>
    <message>
        <source>Atender, guardar y entrar con su frase de paso no dependen de esta cuenta ni de la conexión.</source>
        <translation>Seeing patients, saving and signing in with your passphrase do not depend on this account or on the connection.</translation>
    </message>
    <message>
        <source>1. En un teléfono u otro equipo, abra:</source>
        <translation>1. On a phone or another computer, open:</translation>
    </message>
    <message>
        <source>2. Escriba allí este código:</source>
        <translation>2. Type this code there:</translation>
    </message>
    <message>
        <source>Cierre la sesión y entre de nuevo para trabajar con la función {role}.</source>
        <translation>Sign out and in again to work with the role {role}.</translation>
    </message>
    <message>
        <source>Dirección: {address}</source>
        <translation>Address: {address}</translation>
    </message>
    <message>
        <source>Código: {code}</source>
        <translation>Code: {code}</translation>
    </message>
    <message>
        <source>Su usuario está unido a una cuenta en la nube.</source>
        <translation>Your user is linked to a cloud account.</translation>
    </message>
    <message>
        <source>Su usuario no está unido a ninguna cuenta en la nube.</source>
        <translation>Your user is not linked to any cloud account.</translation>
    </message>
    <message>
        <source>Su función, {role}, la da este centro y no vence.</source>
        <translation>Your role, {role}, comes from this clinic and does not lapse.</translation>
    </message>
    <message>
        <source>Si vence sin renovarse, su trabajo aquí sigue igual.</source>
        <translation>If it lapses without being renewed, your work here goes on as before.</translation>
    </message>
    <message>
        <source>Si vence sin renovarse, podrá seguir atendiendo como {role}; lo demás de su función se detiene hasta que entre otra vez en la nube.</source>
        <translation>If it lapses without being renewed, you can go on seeing patients as {role}; the rest of your role stops until you sign in to the cloud again.</translation>
    </message>
    <message>
        <source>En este equipo aún no se puede entrar en la nube. Quien administra los equipos del centro debe escribir en los ajustes ({file}): {settings}. Después, reinicie Vereda.</source>
        <translation>Signing in to the cloud is not possible on this computer yet. Whoever administers the clinic&apos;s computers must fill in the settings ({file}): {settings}. Then restart Vereda.</translation>
    </message>
    <message>
        <source>Cancelando…</source>
        <translation>Cancelling…</translation>
    </message>
    <message>
        <source>El código vale {minutes} minutos.</source>
        <translation>The code is good for {minutes} minutes.</translation>
    </message>
    <message>
        <source>El servidor del centro no ha prestado la función ahora. Puede seguir trabajando; renuévela cuando haya conexión.</source>
        <translation>The clinic&apos;s server has not lent the role now. You can go on working; renew it when there is a connection.</translation>
    </message>
</context>
<context>
    <name>Decision</name>
    <message>
        <source>Diagnóstico</source>
        <translation>Diagnosis</translation>
    </message>
    <message>
        <source>Motivo</source>
        <translation>Reason</translation>
    </message>
    <message>
        <source>Nota (opcional, no sale del equipo)</source>
        <translation>Note (optional, stays on this device)</translation>
    </message>
    <message>
        <source>Guardar la decisión</source>
        <translation>Save the decision</translation>
    </message>
    <message>
        <source>Cancelar  {key}</source>
        <translation>Cancel  {key}</translation>
    </message>
    <message>
        <source>De acuerdo con: {disease}. Intro lo guarda.</source>
        <translation>Agree with: {disease}. Enter saves it.</translation>
    </message>
    <message>
        <source>Elija un motivo</source>
        <translation>Choose a reason</translation>
    </message>
    <message>
        <source>Elija el diagnóstico de la lista que aparece al escribir.</source>
        <translation>Choose the diagnosis from the list that appears as you type.</translation>
    </message>
    <message>
        <source>Elija un motivo: ayuda a corregir el modelo.</source>
        <translation>Choose a reason: it helps to correct the model.</translation>
    </message>
    <message>
        <source>✓ Decisión guardada. {said} · código {code}</source>
        <translation>✓ Decision saved. {said} · code {code}</translation>
    </message>
    <message>
        <source>Derivar…</source>
        <translation>Refer…</translation>
    </message>
    <message>
        <source>Resumen…</source>
        <translation>Summary…</translation>
    </message>
    <message>
        <source>Plan (sale en el resumen y la carta)</source>
        <translation>Plan (goes into summary and letter)</translation>
    </message>
</context>
<context>
    <name>Differential</name>
    <message>
        <source>Grave</source>
        <translation>Severe</translation>
    </message>
    <message>
        <source>No se puede descartar</source>
        <translation>Cannot be set aside</translation>
    </message>
    <message>
        <source>No pasar por alto</source>
        <translation>Do not overlook</translation>
    </message>
    <message>
        <source>Diagnósticos por probabilidad</source>
        <translation>Diagnoses by probability</translation>
    </message>
    <message>
        <source>Lista de diagnósticos</source>
        <translation>List of diagnoses</translation>
    </message>
    <message>
        <source>Modelo {version} · {moment} · código {code}</source>
        <translation>Model {version} · {moment} · code {code}</translation>
    </message>
    <message>
        <source>Puede no ser ninguna de estas: en {frequency} casos así, es otra cosa.</source>
        <translation>It may be none of these: in {frequency} cases like this it is something else.</translation>
    </message>
    <message>
        <source>Este modelo no dice qué no se puede descartar.</source>
        <translation>This model does not say what cannot be set aside.</translation>
    </message>
    <message>
        <source>El modelo no sabe leer: {names}. Téngalo en cuenta usted.</source>
        <translation>The model cannot read: {names}. Please weigh it yourself.</translation>
    </message>
    <message>
        <source>Calculando…</source>
        <translation>Working it out…</translation>
    </message>
    <message>
        <source>Anote lo que encuentra y lo que descarta. Con {key} aparece la lista: una ayuda para pensar; decide usted.</source>
        <translation>Note what you find and what you rule out. {key} shows the list: a help to think; you decide.</translation>
    </message>
    <message>
        <source>Con estos datos no hay candidatos. Añada hallazgos y pulse {key}.</source>
        <translation>These findings give no candidates. Add findings and press {key}.</translation>
    </message>
    <message>
        <source>Lista anterior a los últimos cambios. Pulse {key} para actualizarla.</source>
        <translation>This list is older than your last changes. Press {key} to update it.</translation>
    </message>
    <message>
        <source>El modelo está detenido por seguridad: no hay lista. Las alarmas, las reglas y los registros siguen funcionando.</source>
        <translation>The model is stopped for safety: there is no list. Alarms, rules and records go on working.</translation>
    </message>
    <message>
        <source>El modelo de enfermedades frecuentes está detenido por seguridad: la lista solo tiene raras. Las alarmas y las reglas siguen funcionando.</source>
        <translation>The model of common diseases is stopped for safety: the list holds rare ones only. Alarms and rules go on working.</translation>
    </message>
    <message>
        <source>El modelo de enfermedades raras está detenido por seguridad: la lista solo tiene frecuentes. Las alarmas y las reglas siguen funcionando.</source>
        <translation>The model of rare diseases is stopped for safety: the list holds common ones only. Alarms and rules go on working.</translation>
    </message>
    <message>
        <source>Antes de la lista: sin diagnóstico propio.</source>
        <translation>Before the list: no diagnosis of your own.</translation>
    </message>
    <message>
        <source>Antes de la lista pensó en: {disease}. {place}</source>
        <translation>Before the list you thought of: {disease}. {place}</translation>
    </message>
    <message>
        <source>No está en la lista.</source>
        <translation>It is not on the list.</translation>
    </message>
    <message>
        <source>Es el puesto {n}.</source>
        <translation>It is number {n}.</translation>
    </message>
    <message>
        <source>Así queda la lista con los últimos cambios; aún sin registrar. {key} la registra.</source>
        <translation>The list with the latest changes, not recorded yet. {key} records it.</translation>
    </message>
</context>
<context>
    <name>Findings</name>
    <message>
        <source>intensidad {n} de 10</source>
        <translation>intensity {n} of 10</translation>
    </message>
    <message>
        <source>Sí</source>
        <translation>Yes</translation>
    </message>
    <message>
        <source>No</source>
        <translation>No</translation>
    </message>
</context>
<context>
    <name>FirstRun</name>
    <message>
        <source>Nombre del centro</source>
        <translation>Name of the clinic</translation>
    </message>
    <message>
        <source>Su nombre</source>
        <translation>Your name</translation>
    </message>
    <message>
        <source>Frase de paso</source>
        <translation>Passphrase</translation>
    </message>
    <message>
        <source>Repita la frase de paso</source>
        <translation>Repeat the passphrase</translation>
    </message>
    <message>
        <source>Le damos la bienvenida a Vereda</source>
        <translation>Welcome to Vereda</translation>
    </message>
    <message>
        <source>Todo queda cifrado en este equipo y funciona sin conexión.</source>
        <translation>Everything stays encrypted on this device and works without a connection.</translation>
    </message>
    <message>
        <source>Crear el centro</source>
        <translation>Create the clinic</translation>
    </message>
    <message>
        <source>Probar con el centro de demostración</source>
        <translation>Try the demonstration clinic</translation>
    </message>
    <message>
        <source>Restaurar una copia de seguridad</source>
        <translation>Restore a backup</translation>
    </message>
    <message>
        <source>Clave de recuperación</source>
        <translation>Recovery key</translation>
    </message>
    <message>
        <source>Imprimir</source>
        <translation>Print</translation>
    </message>
    <message>
        <source>La he copiado en papel y la guardo fuera del equipo</source>
        <translation>I have copied it on paper and keep it away from this device</translation>
    </message>
    <message>
        <source>Continuar</source>
        <translation>Continue</translation>
    </message>
    <message>
        <source>Es la única forma de entrar si se olvida la frase de paso. Se muestra una sola vez.</source>
        <translation>It is the only way in if the passphrase is forgotten. It is shown only once.</translation>
    </message>
    <message>
        <source>Dirección del servidor</source>
        <translation>Address of the server</translation>
    </message>
    <message>
        <source>Código de un solo uso</source>
        <translation>One-time code</translation>
    </message>
    <message>
        <source>¿Unir el centro a una nube?</source>
        <translation>Join the centre to a cloud?</translation>
    </message>
    <message>
        <source>No hace falta para atender. Sirve para recibir modelos nuevos y enviar registros sin nombres. Puede hacerlo otro día.</source>
        <translation>You do not need it to see patients. It brings new models and sends records without names. You can do it another day.</translation>
    </message>
    <message>
        <source>Unir al entrar</source>
        <translation>Join at sign-in</translation>
    </message>
    <message>
        <source>Sin nube por ahora</source>
        <translation>No cloud for now</translation>
    </message>
    <message>
        <source>Creando el centro cifrado…</source>
        <translation>Creating the encrypted clinic…</translation>
    </message>
</context>
<context>
    <name>Guide</name>
    <message>
        <source>Respuestas a la pregunta</source>
        <translation>Answers to the question</translation>
    </message>
    <message>
        <source>Siguiente pregunta</source>
        <translation>Next question</translation>
    </message>
    <message>
        <source>Buscando qué preguntar…</source>
        <translation>Looking for what to ask…</translation>
    </message>
    <message>
        <source>Anote el motivo de consulta: aquí aparece qué preguntar después.</source>
        <translation>Enter the complaint: what to ask next appears here.</translation>
    </message>
    <message>
        <source>P: sí · A: no · U: no se sabe</source>
        <translation>P: yes · A: no · U: not known</translation>
    </message>
    <message>
        <source>P: solo esta · A: ninguna · U: no se sabe</source>
        <translation>P: only this · A: none · U: not known</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>Mapa de teclas</source>
        <translation>Map of keys</translation>
    </message>
    <message>
        <source>Cerrar</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>Este mapa de teclas</source>
        <translation>This map of keys</translation>
    </message>
    <message>
        <source>Buscar un hallazgo</source>
        <translation>Search for a finding</translation>
    </message>
    <message>
        <source>Ir a la lista de diagnósticos</source>
        <translation>Go to the list of diagnoses</translation>
    </message>
    <message>
        <source>Ir al porqué</source>
        <translation>Go to the reasons</translation>
    </message>
    <message>
        <source>Calcular la lista</source>
        <translation>Work out the list</translation>
    </message>
    <message>
        <source>Constantes vitales</source>
        <translation>Vital signs</translation>
    </message>
    <message>
        <source>Ir a los hallazgos anotados</source>
        <translation>Go to the findings entered</translation>
    </message>
    <message>
        <source>Responder la siguiente pregunta</source>
        <translation>Answer the next question</translation>
    </message>
    <message>
        <source>Preguntar por qué no otra enfermedad</source>
        <translation>Ask why not another disease</translation>
    </message>
    <message>
        <source>De acuerdo con el diagnóstico elegido</source>
        <translation>Agree with the selected diagnosis</translation>
    </message>
    <message>
        <source>Rechazar la lista</source>
        <translation>Reject the list</translation>
    </message>
    <message>
        <source>Añadir otro diagnóstico</source>
        <translation>Add another diagnosis</translation>
    </message>
    <message>
        <source>Escribir mi propio diagnóstico</source>
        <translation>Enter my own diagnosis</translation>
    </message>
    <message>
        <source>Paciente nuevo</source>
        <translation>New patient</translation>
    </message>
    <message>
        <source>Cerrar la sesión</source>
        <translation>Sign out</translation>
    </message>
    <message>
        <source>Presente (en una lista de hallazgos)</source>
        <translation>Present (in a list of findings)</translation>
    </message>
    <message>
        <source>Ausente: se buscó y no está</source>
        <translation>Absent: looked for and not there</translation>
    </message>
    <message>
        <source>No se sabe</source>
        <translation>Not known</translation>
    </message>
    <message>
        <source>Pasar al estado siguiente</source>
        <translation>Go to the next state</translation>
    </message>
    <message>
        <source>Quitar el hallazgo</source>
        <translation>Remove the finding</translation>
    </message>
    <message>
        <source>Intensidad, si el hallazgo la tiene</source>
        <translation>Intensity, if the finding has one</translation>
    </message>
    <message>
        <source>Presente (desde la búsqueda)</source>
        <translation>Present (from the search)</translation>
    </message>
    <message>
        <source>Ausente (desde la búsqueda)</source>
        <translation>Absent (from the search)</translation>
    </message>
    <message>
        <source>Moverse</source>
        <translation>Moving about</translation>
    </message>
    <message>
        <source>Hallazgos</source>
        <translation>Findings</translation>
    </message>
    <message>
        <source>Diagnóstico y decisión</source>
        <translation>Diagnosis and decision</translation>
    </message>
    <message>
        <source>Intro</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Mayús</source>
        <translation>Shift</translation>
    </message>
    <message>
        <source>Espacio</source>
        <translation>Space</translation>
    </message>
    <message>
        <source>Supr</source>
        <translation>Del</translation>
    </message>
    <message>
        <source>Carta de derivación</source>
        <translation>Referral letter</translation>
    </message>
    <message>
        <source>¿Y si…? Probar sin anotar</source>
        <translation>What if…? Try without noting it</translation>
    </message>
    <message>
        <source>Anotar lo que se estaba probando</source>
        <translation>Note what was being tried</translation>
    </message>
    <message>
        <source>Más detalle del porqué</source>
        <translation>More detail of the reasons</translation>
    </message>
    <message>
        <source>Resumen de la consulta</source>
        <translation>Summary of the visit</translation>
    </message>
    <message>
        <source>Historia del paciente</source>
        <translation>History of the patient</translation>
    </message>
    <message>
        <source>Leve, moderado, grave (si está presente)</source>
        <translation>Mild, moderate, severe (if present)</translation>
    </message>
    <message>
        <source>Desde hace cuánto</source>
        <translation>Since when</translation>
    </message>
    <message>
        <source>Guardar la carta o el resumen como PDF</source>
        <translation>Save the letter or the summary as PDF</translation>
    </message>
    <message>
        <source>Exportar (historia o auditoría)</source>
        <translation>Export (history or audit)</translation>
    </message>
    <message>
        <source>Exportar la historia en FHIR</source>
        <translation>Export the history as FHIR</translation>
    </message>
    <message>
        <source>Abrir el menú de ajustes</source>
        <translation>Open the settings menu</translation>
    </message>
    <message>
        <source>Sincronizar, o detenerlo</source>
        <translation>Synchronise, or stop it</translation>
    </message>
    <message>
        <source>Cerrar, o volver a los pacientes</source>
        <translation>Close, or back to the patients</translation>
    </message>
    <message>
        <source>Cancelar lo que tarda</source>
        <translation>Cancel what takes long</translation>
    </message>
</context>
<context>
    <name>Manage</name>
    <message>
        <source>Añadir un profesional</source>
        <translation>Add a clinician</translation>
    </message>
    <message>
        <source>Frase de paso nueva para {name}</source>
        <translation>New passphrase for {name}</translation>
    </message>
    <message>
        <source>Quitar el acceso a {name}</source>
        <translation>End the access of {name}</translation>
    </message>
    <message>
        <source>Cambiar la clave de los datos</source>
        <translation>Change the key of the data</translation>
    </message>
    <message>
        <source>Dígale la frase en persona; podrá pedirle otra cuando quiera.</source>
        <translation>Tell them the passphrase in person; they can ask you for another at any time.</translation>
    </message>
    <message>
        <source>La frase de antes deja de abrir.</source>
        <translation>The passphrase of before stops opening.</translation>
    </message>
    <message>
        <source>Ya no podrá entrar. Lo que registró se conserva. Si pudo copiar archivos de este equipo, cambie después la clave de los datos.</source>
        <translation>They can no longer sign in. What they recorded stays. If they may have copied files of this computer, change the key of the data afterwards.</translation>
    </message>
    <message>
        <source>Todo se cifra de nuevo y su sesión termina. La clave de recuperación de antes deja de valer y los demás profesionales necesitarán una frase nueva.</source>
        <translation>Everything is encrypted again and your session ends. The recovery key of before stops working and the other clinicians will need a new passphrase.</translation>
    </message>
    <message>
        <source>Añadido: ya puede entrar.</source>
        <translation>Added: they can sign in now.</translation>
    </message>
    <message>
        <source>La frase de paso nueva ya vale.</source>
        <translation>The new passphrase works now.</translation>
    </message>
    <message>
        <source>Acceso quitado.</source>
        <translation>Access ended.</translation>
    </message>
    <message>
        <source>Copia hecha y comprobada. Guarde otra fuera de este equipo.</source>
        <translation>Backup made and checked. Keep another away from this computer.</translation>
    </message>
    <message>
        <source>Se ha leído todo: los datos están bien.</source>
        <translation>Everything was read: the data are sound.</translation>
    </message>
    <message>
        <source>Hacer una copia ahora</source>
        <translation>Back up now</translation>
    </message>
    <message>
        <source>Comprobar los datos</source>
        <translation>Check the data</translation>
    </message>
    <message>
        <source>Volver a los pacientes</source>
        <translation>Back to the patients</translation>
    </message>
    <message>
        <source>Quién puede entrar</source>
        <translation>Who may sign in</translation>
    </message>
    <message>
        <source>Los datos</source>
        <translation>The data</translation>
    </message>
    <message>
        <source>Gestión del centro</source>
        <translation>Manage the centre</translation>
    </message>
    <message>
        <source>Nombre</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Función</source>
        <translation>Role</translation>
    </message>
    <message>
        <source>Frase de paso nueva</source>
        <translation>New passphrase</translation>
    </message>
    <message>
        <source>Confirmar</source>
        <translation>Confirm</translation>
    </message>
    <message>
        <source>Cancelar</source>
        <translation>Cancel</translation>
    </message>
    <message>
        <source>Clave de recuperación</source>
        <translation>Recovery key</translation>
    </message>
    <message>
        <source>Los datos están bajo una clave nueva. Esta es la clave de recuperación desde ahora; se muestra una sola vez y la de antes ya no vale.</source>
        <translation>The data are under a new key. This is the recovery key from now on; it is shown once, and the one of before no longer works.</translation>
    </message>
    <message>
        <source>La he copiado: ir a la entrada</source>
        <translation>I have copied it: go to the sign-in</translation>
    </message>
    <message>
        <source>Imprimir</source>
        <translation>Print</translation>
    </message>
    <message>
        <source>Todavía no hay ninguna copia de seguridad.</source>
        <translation>There is no backup yet.</translation>
    </message>
    <message>
        <source>Última copia: {when}. Se hace una cada día al entrar.</source>
        <translation>Last backup: {when}. One is made each day after signing in.</translation>
    </message>
    <message>
        <source>Quitar</source>
        <translation>Remove</translation>
    </message>
    <message>
        <source>Frase nueva</source>
        <translation>New passphrase</translation>
    </message>
    <message>
        <source>{who} · usted</source>
        <translation>{who} · you</translation>
    </message>
    <message>
        <source>{who} · necesita una frase nueva</source>
        <translation>{who} · needs a new passphrase</translation>
    </message>
    <message>
        <source>Cerrando el acceso con la frase de paso…</source>
        <translation>Locking access with the passphrase…</translation>
    </message>
    <message>
        <source>Cifrando todo con una clave nueva…</source>
        <translation>Encrypting everything under a new key…</translation>
    </message>
    <message>
        <source>Haciendo y comprobando la copia…</source>
        <translation>Making and checking the backup…</translation>
    </message>
    <message>
        <source>Comprobando los datos, página por página…</source>
        <translation>Checking the data, page by page…</translation>
    </message>
    <message>
        <source>Su propia frase de paso</source>
        <translation>Your own passphrase</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>Escriba su frase de paso para entrar.</source>
        <translation>Type your passphrase to sign in.</translation>
    </message>
    <message>
        <source>La frase de paso no es correcta. Revise las mayúsculas y vuelva a intentarlo.</source>
        <translation>The passphrase is not right. Check capital letters and try again.</translation>
    </message>
    <message>
        <source>Otra ventana de Vereda está usando estos datos. Ciérrela y reintente.</source>
        <translation>Another Vereda window is using these data. Close it and try again.</translation>
    </message>
    <message>
        <source>Su función no permite esta acción. Pídala al médico responsable.</source>
        <translation>Your role does not allow this. Ask the responsible physician.</translation>
    </message>
    <message>
        <source>Antes de calcular, corrija lo marcado a la izquierda. Nada se ha perdido.</source>
        <translation>Before the list, correct what is marked on the left. Nothing was lost.</translation>
    </message>
    <message>
        <source>Primero calcule la lista con F5; después podrá decidir.</source>
        <translation>Work out the list with F5 first; then you can decide.</translation>
    </message>
    <message>
        <source>Los hallazgos han cambiado. Pulse F5 para actualizar la lista y decida después.</source>
        <translation>The findings have changed. Press F5 to update the list, then decide.</translation>
    </message>
    <message>
        <source>Este diagnóstico ya no está en el modelo activo. Vuelva a calcular con F5.</source>
        <translation>This diagnosis is no longer in the active model. Work out the list again with F5.</translation>
    </message>
    <message>
        <source>Un hallazgo no existe en el vocabulario activo. Quítelo y búsquelo de nuevo.</source>
        <translation>A finding is not in the active vocabulary. Remove it and search for it again.</translation>
    </message>
    <message>
        <source>El modelo de este equipo no se puede usar. Reinstale Vereda o reciba un modelo nuevo; los datos de los pacientes están a salvo.</source>
        <translation>The model on this device cannot be used. Reinstall Vereda or receive a new model; patient data are safe.</translation>
    </message>
    <message>
        <source>Las piezas del modelo no encajan entre sí. Reinstale Vereda; los datos están a salvo.</source>
        <translation>The parts of the model do not belong together. Reinstall Vereda; the data are safe.</translation>
    </message>
    <message>
        <source>El modelo no ha superado la verificación y no se usará. Reinstale Vereda o llame a soporte; los datos de los pacientes están a salvo.</source>
        <translation>The model did not pass verification and will not be used. Reinstall Vereda or call support; patient data are safe.</translation>
    </message>
    <message>
        <source>Algo ha fallado dentro de Vereda. Lo guardado está a salvo: reintente y, si se repite, llame a soporte.</source>
        <translation>Something failed inside Vereda. What was saved is safe: try again and, if it happens again, call support.</translation>
    </message>
    <message>
        <source>Falta el nombre del centro.</source>
        <translation>The name of the clinic is missing.</translation>
    </message>
    <message>
        <source>Falta su nombre.</source>
        <translation>Your name is missing.</translation>
    </message>
    <message>
        <source>Use al menos 8 caracteres; varias palabras sueltas son fáciles de recordar.</source>
        <translation>Use at least 8 characters; a few separate words are easy to remember.</translation>
    </message>
    <message>
        <source>Los datos de este equipo están dañados. Nada se ha borrado: apártelos con el botón y restaure la última copia de seguridad, o llame a soporte.</source>
        <translation>The data on this device are damaged. Nothing was deleted: set them aside with the button and restore the last backup, or call support.</translation>
    </message>
    <message>
        <source>No se puede usar el almacén de datos. Reintente; si se repite, llame a soporte. Nada se ha borrado.</source>
        <translation>The data store cannot be used. Try again; if it happens again, call support. Nothing was deleted.</translation>
    </message>
    <message>
        <source>La clave no abre este centro. Revísela.</source>
        <translation>The key does not open this clinic. Check it.</translation>
    </message>
    <message>
        <source>En este equipo ya hay un centro. Cierre Vereda y ábralo para entrar.</source>
        <translation>There is a clinic on this device already. Close Vereda and open it to sign in.</translation>
    </message>
    <message>
        <source>Estos datos son de una versión más nueva de Vereda. Actualícela y entre.</source>
        <translation>These data are from a newer Vereda. Update it, then sign in.</translation>
    </message>
    <message>
        <source>La sesión está cerrada. Entre de nuevo.</source>
        <translation>The session is closed. Sign in again.</translation>
    </message>
    <message>
        <source>Ese archivo no es un fenopaquete (versión 2, JSON). Elija otro archivo.</source>
        <translation>That file is not a phenopacket (version 2, JSON). Choose another file.</translation>
    </message>
    <message>
        <source>Ese registro ya no está. Vuelva a los pacientes y ábralo de nuevo.</source>
        <translation>That record is no longer there. Go back to the patients and open it again.</translation>
    </message>
    <message>
        <source>Faltan el nombre del centro o el suyo. No se ha creado nada.</source>
        <translation>The clinic&apos;s name or yours is missing. Nothing was created.</translation>
    </message>
    <message>
        <source>La clave de recuperación no es la de este centro. Cópiela del papel.</source>
        <translation>The recovery key is not this clinic&apos;s. Copy it from the paper.</translation>
    </message>
    <message>
        <source>El registro de auditoría no encaja. Avise a soporte antes de seguir.</source>
        <translation>The audit record does not hold together. Tell support before going on.</translation>
    </message>
    <message>
        <source>Los ajustes no se pueden usar. Si es el archivo del centro, corríjalo o bórrelo y reinicie; si los pone una política de su organización, avise a quien administra los equipos.</source>
        <translation>The settings cannot be used. If it is the clinic's file, correct or delete it and restart; if a policy of your organisation sets them, tell whoever manages the computers.</translation>
    </message>
    <message>
        <source>No hay aquí instalador de esa versión. Pídalo a quien administra los equipos.</source>
        <translation>No installer of that version lies here. Ask whoever manages the computers for it.</translation>
    </message>
    <message>
        <source>Lo anotado no forma un caso. Revise los hallazgos y la edad.</source>
        <translation>What was entered does not make a case. Check findings and age.</translation>
    </message>
    <message>
        <source>Un código no tiene la forma debida. Quite el hallazgo y búsquelo de nuevo.</source>
        <translation>A code is malformed. Remove the finding and search for it again.</translation>
    </message>
    <message>
        <source>La lista se hizo con un modelo que ya no está. Cambie algo y pulse F5 para explicarla.</source>
        <translation>The list was made by a model that is no longer here. Change something and press F5 to have it explained.</translation>
    </message>
    <message>
        <source>Este centro no está unido a una nube. Todo sigue guardado en el equipo.</source>
        <translation>This clinic is not linked to a cloud. Everything is kept on this device.</translation>
    </message>
    <message>
        <source>No se ha podido sincronizar. Todo sigue guardado aquí; se reintentará.</source>
        <translation>Synchronisation did not work. Everything is kept here; it will be tried again.</translation>
    </message>
    <message>
        <source>La nube no reconoce este equipo. Todo sigue guardado aquí; pida un código nuevo.</source>
        <translation>The cloud does not know this device. Everything is kept here; ask for a new code.</translation>
    </message>
    <message>
        <source>El código de alta no vale. Pida uno nuevo a quien administra la nube.</source>
        <translation>The enrolment code is not valid. Ask whoever runs the cloud for a new one.</translation>
    </message>
    <message>
        <source>Los datos del paciente no se sostienen. Corrija lo marcado.</source>
        <translation>The patient&apos;s details do not hold. Correct what is marked.</translation>
    </message>
    <message>
        <source>Las dos frases no coinciden.</source>
        <translation>The two passphrases differ.</translation>
    </message>
    <message>
        <source>El disco está lleno. Vereda ha soltado el espacio que guardaba para esto: vuelva a guardar ahora y después borre archivos de este equipo. Lo escrito sigue en pantalla.</source>
        <translation>The disk is full. Vereda has let go of the room it kept for this: save again now, then delete files from this computer. What you typed is still on screen.</translation>
    </message>
    <message>
        <source>Escriba la clave de recuperación tal como está en el papel.</source>
        <translation>Type the recovery key as it is on the paper.</translation>
    </message>
    <message>
        <source>La clave de recuperación está mal copiada. Revise el grupo {detail}.</source>
        <translation>The recovery key is miscopied. Check group {detail}.</translation>
    </message>
    <message>
        <source>Escriba una frase de paso o la clave de recuperación del día en que se hizo la copia.</source>
        <translation>Type a passphrase or the recovery key of the day the backup was made.</translation>
    </message>
    <message>
        <source>Esa copia está incompleta o alterada y no se ha usado. Elija otra; sus datos siguen como estaban.</source>
        <translation>That backup is incomplete or altered and was not used. Choose another; your data are as they were.</translation>
    </message>
    <message>
        <source>Falta el nombre.</source>
        <translation>The given name is missing.</translation>
    </message>
    <message>
        <source>Escriba su propia frase de paso para confirmar que es usted.</source>
        <translation>Type your own passphrase to confirm that it is you.</translation>
    </message>
    <message>
        <source>No puede quitarse a usted. Pídalo a otro médico responsable.</source>
        <translation>You cannot remove yourself. Ask another responsible physician.</translation>
    </message>
    <message>
        <source>Faltan los apellidos.</source>
        <translation>The family name is missing.</translation>
    </message>
    <message>
        <source>Falta el nombre o los apellidos.</source>
        <translation>A name is missing.</translation>
    </message>
    <message>
        <source>Escriba la fecha de nacimiento como día/mes/año, por ejemplo 07/03/1984.</source>
        <translation>Type the date of birth as day/month/year, for example 07/03/1984.</translation>
    </message>
    <message>
        <source>La fecha de nacimiento es posterior a hoy. Revísela.</source>
        <translation>The date of birth is in the future. Check it.</translation>
    </message>
    <message>
        <source>Con esa fecha tendría más de 125 años. Revise el año.</source>
        <translation>That date makes the patient older than 125. Check the year.</translation>
    </message>
    <message>
        <source>Falta la edad: la lista será menos fiable.</source>
        <translation>The age is missing: the list will be less reliable.</translation>
    </message>
    <message>
        <source>Edad «{text}»: escriba solo el número y elija la unidad.</source>
        <translation>Age “{text}”: type only the number and choose the unit.</translation>
    </message>
    <message>
        <source>Edad {text}: no puede ser negativa.</source>
        <translation>Age {text}: it cannot be negative.</translation>
    </message>
    <message>
        <source>Edad {text}: supera los {limit_years} años. Revise el número y la unidad.</source>
        <translation>Age {text}: over {limit_years} years. Check the number and the unit.</translation>
    </message>
    <message>
        <source>«{finding}» no está en el vocabulario. Quítelo y búsquelo de nuevo.</source>
        <translation>“{finding}” is not in the vocabulary. Remove it and search for it again.</translation>
    </message>
    <message>
        <source>{finding}: está anotado dos veces. Quite uno.</source>
        <translation>{finding}: entered twice. Remove one.</translation>
    </message>
    <message>
        <source>{finding}: está como presente y como ausente. Quite uno de los dos.</source>
        <translation>{finding}: both present and absent. Remove one of them.</translation>
    </message>
    <message>
        <source>{excluded} está como ausente, pero {present} es un tipo de lo mismo. Corrija uno.</source>
        <translation>{excluded} is marked absent, but {present} is a kind of it. Correct one.</translation>
    </message>
    <message>
        <source>{present} suele implicar {excluded}, que está como ausente. Revíselo.</source>
        <translation>{present} usually implies {excluded}, which is marked absent. Check it.</translation>
    </message>
    <message>
        <source>{finding}: la intensidad va de 0 a 10.</source>
        <translation>{finding}: intensity goes from 0 to 10.</translation>
    </message>
    <message>
        <source>{finding}: no lleva intensidad. Quítelo y anótelo de nuevo.</source>
        <translation>{finding}: takes no intensity. Remove it and enter it again.</translation>
    </message>
    <message>
        <source>{finding}: falta la intensidad. Elija la línea y pulse un número.</source>
        <translation>{finding}: intensity is missing. Select the line and press a number.</translation>
    </message>
    <message>
        <source>{finding}: el inicio no puede estar en el futuro.</source>
        <translation>{finding}: the onset cannot be in the future.</translation>
    </message>
    <message>
        <source>{finding}: el inicio es anterior al nacimiento. Revise la edad o el inicio.</source>
        <translation>{finding}: the onset is before birth. Check the age or the onset.</translation>
    </message>
    <message>
        <source>Anote al menos un hallazgo, presente o ausente.</source>
        <translation>Enter at least one finding, present or absent.</translation>
    </message>
    <message>
        <source>Solo hay hallazgos ausentes: añada lo que sí encuentra.</source>
        <translation>All findings are absent: add what you do find.</translation>
    </message>
    <message>
        <source>«{vital}» no es una constante conocida.</source>
        <translation>“{vital}” is not a known vital sign.</translation>
    </message>
    <message>
        <source>{vital} «{text}»: escriba solo el número, con coma o punto decimal.</source>
        <translation>{vital} “{text}”: type only the number, with a decimal comma or point.</translation>
    </message>
    <message>
        <source>{vital}: responda sí o no.</source>
        <translation>{vital}: answer yes or no.</translation>
    </message>
    <message>
        <source>{vital} {value}: no es posible (de {low} a {high}). Revise el número.</source>
        <translation>{vital} {value}: not possible ({low} to {high}). Check the number.</translation>
    </message>
    <message>
        <source>{vital} {value}: poco habitual a esta edad. Confirme que es así.</source>
        <translation>{vital} {value}: unusual at this age. Confirm that it is so.</translation>
    </message>
    <message>
        <source>La tensión diastólica ({diastolic}) no es menor que la sistólica ({systolic}).</source>
        <translation>Diastolic pressure ({diastolic}) is not below systolic ({systolic}).</translation>
    </message>
    <message>
        <source>¿Quiso decir {meant}?</source>
        <translation>Did you mean {meant}?</translation>
    </message>
    <message>
        <source>No se ha podido completar la acción (código {code}). Reintente; si se repite, dé este código a soporte.</source>
        <translation>That could not be completed (code {code}). Try again; if it happens again, give this code to support.</translation>
    </message>
    <message>
        <source>{about}: revise este dato (código {code}).</source>
        <translation>{about}: check this entry (code {code}).</translation>
    </message>
    <message>
        <source>La nube no ha podido refrendar la auditoría. Todo sigue guardado aquí y firmado.</source>
        <translation>The cloud could not countersign the audit. Everything is still kept here, signed.</translation>
    </message>
    <message>
        <source>No se puede escribir ese archivo. Elija otra carpeta.</source>
        <translation>That file cannot be written. Choose another folder.</translation>
    </message>
    <message>
        <source>El código del comprobante no es correcto: doce letras y cifras en tres grupos. Léalo otra vez del papel.</source>
        <translation>The receipt code is not right: twelve letters and digits in three groups. Read it again from the paper.</translation>
    </message>
    <message>
        <source>La nube no reconoce una función para esta identidad. La de este centro sigue valiendo.</source>
        <translation>The cloud knows no role for this identity. The one of this clinic still holds.</translation>
    </message>
    <message>
        <source>Este equipo no tiene cuenta de nube configurada. Pídala a quien administra los equipos.</source>
        <translation>No cloud account is set up on this device. Ask whoever manages the devices.</translation>
    </message>
    <message>
        <source>La nube de identidades no responde. Puede seguir trabajando; reintente luego.</source>
        <translation>The identity cloud does not answer. You can go on working; try again later.</translation>
    </message>
    <message>
        <source>No se ha completado la entrada en la nube. Puede seguir trabajando; repítala.</source>
        <translation>The cloud sign-in was not completed. You can go on working; repeat it.</translation>
    </message>
    <message>
        <source>Su usuario ya está unido a otra identidad de la nube. Hable con quien audita.</source>
        <translation>Your user is already linked to another cloud identity. Talk to the auditor.</translation>
    </message>
    <message>
        <source>No se puede escribir ahí. Elija otra carpeta para la carta.</source>
        <translation>It cannot be written there. Choose another folder for the letter.</translation>
    </message>
    <message>
        <source>Los bytes de hoy para modelos se han gastado. Lo que llegó se guarda; mañana sigue.</source>
        <translation>Today&apos;s bytes for models are used up. What arrived is kept; it goes on tomorrow.</translation>
    </message>
    <message>
        <source>Ese archivo no es de esta nube, o llegó dañado. No se ha tomado nada de él; pida otra copia.</source>
        <translation>That file is not from this cloud, or it arrived damaged. Nothing was taken from it; ask for another copy.</translation>
    </message>
    <message>
        <source>La firma de ese archivo no es la esperada. No se ha tomado nada de él; avise a soporte.</source>
        <translation>The signature of that file is not the expected one. Nothing was taken from it; tell support.</translation>
    </message>
    <message>
        <source>Hay un modelo más nuevo, pero esta red se paga por bytes. Llegará por otra red.</source>
        <translation>There is a newer model, but this network is paid by the byte. It will come over another one.</translation>
    </message>
    <message>
        <source>Ese modelo está detenido por seguridad y no se usará. Sigue trabajando el que hay.</source>
        <translation>That model is stopped for safety and will not be used. The one in use goes on working.</translation>
    </message>
    <message>
        <source>El modelo que tendría que contestar está detenido por seguridad. Decida sin él; las alarmas y las reglas siguen funcionando.</source>
        <translation>The model that would have to answer is stopped for safety. Decide without it; alarms and rules go on working.</translation>
    </message>
    <message>
        <source>Está probando y nada se anota. Anote los cambios (Ctrl+Intro) o déjelos (Esc) y siga.</source>
        <translation>You are trying something and nothing is noted. Note the changes (Ctrl+Enter) or drop them (Esc), then go on.</translation>
    </message>
    <message>
        <source>Falta la dirección del servidor; se la da quien administra la nube.</source>
        <translation>The address of the server is missing; whoever runs the cloud gives it to you.</translation>
    </message>
    <message>
        <source>Falta el código; se lo da quien administra la nube y vale una sola vez.</source>
        <translation>The code is missing; whoever runs the cloud gives it to you, and it works once.</translation>
    </message>
    <message>
        <source>Cancelado. Nada ha quedado a medias: repítalo cuando quiera.</source>
        <translation>Cancelled. Nothing was left half done: repeat it whenever you like.</translation>
    </message>
</context>
<context>
    <name>Patients</name>
    <message>
        <source>Sin consultas</source>
        <translation>No visits</translation>
    </message>
    <message>
        <source>Última consulta {date}</source>
        <translation>Last visit {date}</translation>
    </message>
    <message>
        <source>Nombre</source>
        <translation>Given name</translation>
    </message>
    <message>
        <source>Apellidos</source>
        <translation>Family name</translation>
    </message>
    <message>
        <source>Fecha de nacimiento</source>
        <translation>Date of birth</translation>
    </message>
    <message>
        <source>día/mes/año</source>
        <translation>day/month/year</translation>
    </message>
    <message>
        <source>Sexo</source>
        <translation>Sex</translation>
    </message>
    <message>
        <source>Documento (opcional)</source>
        <translation>Identity document (optional)</translation>
    </message>
    <message>
        <source>Guardar y abrir</source>
        <translation>Save and open</translation>
    </message>
    <message>
        <source>Cancelar</source>
        <translation>Cancel</translation>
    </message>
    <message>
        <source>Paciente nuevo</source>
        <translation>New patient</translation>
    </message>
    <message>
        <source>Buscar paciente</source>
        <translation>Search patients</translation>
    </message>
    <message>
        <source>Paciente nuevo  {key}</source>
        <translation>New patient  {key}</translation>
    </message>
    <message>
        <source>Pacientes</source>
        <translation>Patients</translation>
    </message>
    <message>
        <source>Nadie coincide. Ctrl+N registra un paciente nuevo.</source>
        <translation>Nobody matches. Ctrl+N registers a new patient.</translation>
    </message>
    <message>
        <source>Borrar…</source>
        <translation>Erase…</translation>
    </message>
    <message>
        <source>Borrar al paciente elegido</source>
        <translation>Erase the chosen patient</translation>
    </message>
    <message>
        <source>Borrar para siempre</source>
        <translation>Erase for good</translation>
    </message>
    <message>
        <source>No borrar</source>
        <translation>Do not erase</translation>
    </message>
    <message>
        <source>¿Borrar a {name}? Se van sus datos, borradores, consultas y decisiones, y se pide a la nube que borre lo suyo. No se puede deshacer. Queda una prueba sin su nombre.</source>
        <translation>Erase {name}? Their details, drafts, visits and decisions go, and the cloud is asked to erase its part. It cannot be undone. A proof without their name stays.</translation>
    </message>
    <message>
        <source>✓ Borrado. Seudónimo {pseudonym}. Prueba {proof}</source>
        <translation>✓ Erased. Pseudonym {pseudonym}. Proof {proof}</translation>
    </message>
    <message>
        <source>Historia  {key}</source>
        <translation>History  {key}</translation>
    </message>
    <message>
        <source>Buscando entre los pacientes…</source>
        <translation>Searching the patients…</translation>
    </message>
    <message>
        <source>Nombre, documento, hallazgo, diagnóstico o código</source>
        <translation>Name, document, finding, diagnosis or code</translation>
    </message>
</context>
<context>
    <name>Printing</name>
    <message>
        <source>Vereda: clave de recuperación</source>
        <translation>Vereda: recovery key</translation>
    </message>
    <message>
        <source>Abre los datos de este centro si se olvida la frase de paso. Guárdela fuera del equipo, bajo llave. Quien la tenga puede leerlo todo.</source>
        <translation>Opens the data of this centre if the passphrase is forgotten. Keep it away from the computer, under lock. Whoever has it can read everything.</translation>
    </message>
</context>
<context>
    <name>SignIn</name>
    <message>
        <source>Profesional</source>
        <translation>Clinician</translation>
    </message>
    <message>
        <source>Frase de paso</source>
        <translation>Passphrase</translation>
    </message>
    <message>
        <source>Apartar los datos dañados</source>
        <translation>Set the damaged data aside</translation>
    </message>
    <message>
        <source>Entrar</source>
        <translation>Sign in</translation>
    </message>
    <message>
        <source>He olvidado mi frase de paso</source>
        <translation>I have forgotten my passphrase</translation>
    </message>
    <message>
        <source>Restaurar una copia de seguridad</source>
        <translation>Restore a backup</translation>
    </message>
    <message>
        <source>Volver</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Vereda</source>
        <translation>Vereda</translation>
    </message>
    <message>
        <source>Apoyo al diagnóstico diferencial, también sin conexión.</source>
        <translation>Differential diagnosis support, offline too.</translation>
    </message>
    <message>
        <source>Clave de recuperación</source>
        <translation>Recovery key</translation>
    </message>
    <message>
        <source>Frase de paso nueva</source>
        <translation>New passphrase</translation>
    </message>
    <message>
        <source>Repita la frase de paso</source>
        <translation>Repeat the passphrase</translation>
    </message>
    <message>
        <source>Copia de seguridad</source>
        <translation>Backup</translation>
    </message>
    <message>
        <source>Frase de paso o clave de recuperación de ese día</source>
        <translation>Passphrase or recovery key of that day</translation>
    </message>
    <message>
        <source>La copia se comprueba antes de usarla. Los datos de ahora se apartan enteros.</source>
        <translation>The backup is checked before it is used. The data of now are set aside whole.</translation>
    </message>
    <message>
        <source>Comprobando la copia…</source>
        <translation>Checking the backup…</translation>
    </message>
    <message>
        <source>Abriendo…</source>
        <translation>Opening…</translation>
    </message>
    <message>
        <source>Restaurar esta copia</source>
        <translation>Restore this backup</translation>
    </message>
    <message>
        <source>Se ha restaurado la copia del {when}.</source>
        <translation>The backup of {when} was restored.</translation>
    </message>
    <message>
        <source>Los datos de antes están, enteros, en {folder}.</source>
        <translation>The data of before are, whole, in {folder}.</translation>
    </message>
    <message>
        <source>Los datos dañados están, enteros, en {folder}. Restaure una copia, o cierre y vuelva a abrir Vereda.</source>
        <translation>The damaged data are, whole, in {folder}. Restore a backup, or close Vereda and open it again.</translation>
    </message>
    <message>
        <source>Sesión cerrada por inactividad. Lo escrito está guardado.</source>
        <translation>Signed out because nobody was here. What was typed is saved.</translation>
    </message>
    <message>
        <source>Centro de demostración. Frase de paso: {passphrase}</source>
        <translation>Demonstration clinic. Passphrase: {passphrase}</translation>
    </message>
    <message>
        <source>Podrá volver a intentarlo dentro de {n} s.</source>
        <translation>You can try again in {n} s.</translation>
    </message>
    <message>
        <source>Comprobando la copia y poniéndola en su sitio…</source>
        <translation>Checking the backup and putting it in place…</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message>
        <source>Sincronizar  {key}</source>
        <translation>Synchronise  {key}</translation>
    </message>
    <message>
        <source>Modelo {version} · de hace {n} días</source>
        <translation>Model {version} · {n} days old</translation>
    </message>
    <message>
        <source>Modelo {version} · de hoy</source>
        <translation>Model {version} · from today</translation>
    </message>
    <message>
        <source>recién actualizado</source>
        <translation>just updated</translation>
    </message>
    <message>
        <source>el modelo recibido no pasó la verificación; sigue este</source>
        <translation>the model received did not pass verification; this one stays</translation>
    </message>
    <message>
        <source>No se pudo leer el estado (código {code})</source>
        <translation>The status could not be read (code {code})</translation>
    </message>
    <message>
        <source>Sin sesión: los datos están cerrados y cifrados</source>
        <translation>Signed out: the data are locked and encrypted</translation>
    </message>
    <message>
        <source>rechazados por la nube: {n}</source>
        <translation>refused by the cloud: {n}</translation>
    </message>
    <message>
        <source>Pendientes: {n}</source>
        <translation>Waiting: {n}</translation>
    </message>
    <message>
        <source>enviando…</source>
        <translation>sending…</translation>
    </message>
    <message>
        <source>la nube no acepta este equipo (código {code})</source>
        <translation>the cloud does not accept this device (code {code})</translation>
    </message>
    <message>
        <source>solo en este equipo, sin nube</source>
        <translation>on this device only, no cloud</translation>
    </message>
    <message>
        <source>esperando para reintentar</source>
        <translation>waiting to try again</translation>
    </message>
    <message>
        <source>sin conexión: todo queda guardado aquí</source>
        <translation>offline: everything is kept here</translation>
    </message>
    <message>
        <source>la conexión se paga por datos: espera según lo acordado</source>
        <translation>the connection is paid by the byte: waiting as agreed</translation>
    </message>
    <message>
        <source>por sincronizar</source>
        <translation>to be synchronised</translation>
    </message>
    <message>
        <source>aún sin contacto con la nube</source>
        <translation>no contact with the cloud yet</translation>
    </message>
    <message>
        <source>Sincronizado {moment}</source>
        <translation>Synchronised {moment}</translation>
    </message>
    <message>
        <source>la nube conocía otra historia de este equipo: avise a quien audita</source>
        <translation>the cloud knew another history of this device: tell the auditor</translation>
    </message>
    <message>
        <source>se restauró una copia: la nube conoce lo que falta; avise a quien audita</source>
        <translation>a backup was restored: the cloud knows what is missing; tell the auditor</translation>
    </message>
    <message>
        <source>la nube firma con otra clave: avise a quien la administra</source>
        <translation>the cloud signs with another key: tell whoever manages it</translation>
    </message>
    <message>
        <source>Elija la memoria USB con el modelo</source>
        <translation>Choose the USB stick with the model</translation>
    </message>
    <message>
        <source>descargando: {n} %</source>
        <translation>downloading: {n} %</translation>
    </message>
    <message>
        <source>detenido por seguridad: solo reglas y registros</source>
        <translation>stopped for safety: rules and records only</translation>
    </message>
    <message>
        <source>un modelo está detenido por seguridad</source>
        <translation>one model is stopped for safety</translation>
    </message>
    <message>
        <source>uno más nuevo falló aquí; sigue este</source>
        <translation>a newer one failed here; this one goes on</translation>
    </message>
    <message>
        <source>el reloj de este equipo va atrasado</source>
        <translation>the clock of this computer is behind</translation>
    </message>
    <message>
        <source>Vereda {version} lista para instalar</source>
        <translation>Vereda {version} is ready to be installed</translation>
    </message>
    <message>
        <source>se volvió a este por orden de seguridad</source>
        <translation>went back to this one by order of safety</translation>
    </message>
    <message>
        <source>hay uno más nuevo; esperará a otro día o a otra red</source>
        <translation>there is a newer one; it waits for another day or another network</translation>
    </message>
    <message>
        <source>El centro no se unió a la nube. {why}</source>
        <translation>The centre did not join the cloud. {why}</translation>
    </message>
    <message>
        <source>Detener  {key}</source>
        <translation>Stop  {key}</translation>
    </message>
    <message>
        <source>Enviando lo pendiente…</source>
        <translation>Sending what waits…</translation>
    </message>
    <message>
        <source>Buscando un modelo más nuevo…</source>
        <translation>Looking for a newer model…</translation>
    </message>
    <message>
        <source>Uniendo el centro a la nube: es un envío y no se corta…</source>
        <translation>Joining the clinic to the cloud: one message, which cannot be cut off…</translation>
    </message>
    <message>
        <source>Leyendo el modelo de la memoria USB…</source>
        <translation>Reading the model on the USB stick…</translation>
    </message>
    <message>
        <source>Deteniendo…</source>
        <translation>Stopping…</translation>
    </message>
    <message>
        <source>descarga detenida; lo recibido se conserva</source>
        <translation>download stopped; what came is kept</translation>
    </message>
</context>
<context>
    <name>Tour</name>
    <message>
        <source>Imágenes guardadas en {folder}:</source>
        <translation>Pictures saved in {folder}:</translation>
    </message>
    <message>
        <source>Diagnóstico</source>
        <translation>Diagnosis</translation>
    </message>
    <message>
        <source>Banda</source>
        <translation>Band</translation>
    </message>
    <message>
        <source>Casos así</source>
        <translation>Cases like this</translation>
    </message>
    <message>
        <source>Tipo</source>
        <translation>Kind</translation>
    </message>
</context>
<context>
    <name>Transparency</name>
    <message>
        <source>Fallo del modelo</source>
        <translation>Failure of the model</translation>
    </message>
    <message>
        <source>Diagnóstico</source>
        <translation>Diagnosis</translation>
    </message>
    <message>
        <source>Decisión</source>
        <translation>Decision</translation>
    </message>
    <message>
        <source>Auditoría</source>
        <translation>Audit</translation>
    </message>
    <message>
        <source>Borrado de un paciente</source>
        <translation>Erasure of a patient</translation>
    </message>
    <message>
        <source>espera</source>
        <translation>waiting</translation>
    </message>
    <message>
        <source>llegó</source>
        <translation>arrived</translation>
    </message>
    <message>
        <source>no salió o no se aceptó</source>
        <translation>kept back or not accepted</translation>
    </message>
    <message>
        <source>la nube ya tiene otro registro con este número</source>
        <translation>the cloud already has another record with this number</translation>
    </message>
    <message>
        <source>está mal formado</source>
        <translation>it is malformed</translation>
    </message>
    <message>
        <source>el contenido no coincide con su huella</source>
        <translation>the content does not fit its digest</translation>
    </message>
    <message>
        <source>un campo no tiene la forma acordada</source>
        <translation>a field does not have the agreed shape</translation>
    </message>
    <message>
        <source>es demasiado grande</source>
        <translation>it is too large</translation>
    </message>
    <message>
        <source>contiene algo que no puede salir del centro</source>
        <translation>it holds something that may not leave the clinic</translation>
    </message>
    <message>
        <source>la cadena de auditoría no encaja</source>
        <translation>the audit chain does not fit</translation>
    </message>
    <message>
        <source>la nube no pudo leerlo</source>
        <translation>the cloud could not read it</translation>
    </message>
    <message>
        <source>Volver a intentar este registro</source>
        <translation>Try this record again</translation>
    </message>
    <message>
        <source>Función: {role}. La da este centro; no está unida a la nube.</source>
        <translation>Role: {role}. Given by this clinic; not linked to the cloud.</translation>
    </message>
    <message>
        <source>Función: {role}. La presta la nube; quedan {days} días.</source>
        <translation>Role: {role}. Lent by the cloud; {days} days left.</translation>
    </message>
    <message>
        <source>Función: {role}. Quedan {days} días: conéctese y entre en la nube para renovarla.</source>
        <translation>Role: {role}. {days} days left: connect and sign in to the cloud to renew it.</translation>
    </message>
    <message>
        <source>El préstamo de su función venció. Puede seguir atendiendo como {role}; para administrar, conéctese y entre en la nube.</source>
        <translation>The loan of your role has lapsed. You can go on caring for patients as {role}; to administer, connect and sign in to the cloud.</translation>
    </message>
    <message>
        <source>Registros que salen</source>
        <translation>Records that leave</translation>
    </message>
    <message>
        <source>Contenido exacto del registro elegido</source>
        <translation>Exact content of the chosen record</translation>
    </message>
    <message>
        <source>Lo que sale del centro</source>
        <translation>What leaves the clinic</translation>
    </message>
    <message>
        <source>Sin nombres, documentos ni notas: un seudónimo que solo este centro entiende, la edad en años y códigos. A la derecha, letra por letra, lo que se envía.</source>
        <translation>No names, documents or notes: a pseudonym only this clinic understands, the age in years, and codes. On the right, letter by letter, what is sent.</translation>
    </message>
    <message>
        <source>Volver a los pacientes</source>
        <translation>Back to the patients</translation>
    </message>
    <message>
        <source>Comprobar la auditoría</source>
        <translation>Verify the audit</translation>
    </message>
    <message>
        <source>Exportar la auditoría…  {key}</source>
        <translation>Export the audit…  {key}</translation>
    </message>
    <message>
        <source>Exportar la auditoría</source>
        <translation>Export the audit</translation>
    </message>
    <message>
        <source>Leyendo la auditoría…</source>
        <translation>Reading the audit…</translation>
    </message>
    <message>
        <source>La auditoría encaja: {entries} entradas.</source>
        <translation>The audit holds: {entries} entries.</translation>
    </message>
    <message>
        <source>Exportada en {path}. Compruébela con: {command}</source>
        <translation>Exported to {path}. Verify it with: {command}</translation>
    </message>
    <message>
        <source>Comprobando la auditoría, entrada por entrada…</source>
        <translation>Checking the audit, entry by entry…</translation>
    </message>
    <message>
        <source>Exportando la auditoría…</source>
        <translation>Exporting the audit…</translation>
    </message>
</context>
<context>
    <name>Visit</name>
    <message>
        <source>Calcular la lista  {key}</source>
        <translation>Work out the list  {key}</translation>
    </message>
    <message>
        <source>Edad</source>
        <translation>Age</translation>
    </message>
    <message>
        <source>Unidad de la edad</source>
        <translation>Unit of age</translation>
    </message>
    <message>
        <source>Sexo</source>
        <translation>Sex</translation>
    </message>
    <message>
        <source>Buscar un hallazgo</source>
        <translation>Search for a finding</translation>
    </message>
    <message>
        <source>Buscar un hallazgo  {key}</source>
        <translation>Search for a finding  {key}</translation>
    </message>
    <message>
        <source>Resultados de la búsqueda</source>
        <translation>Search results</translation>
    </message>
    <message>
        <source>{take}: presente · {absent}: ausente · ↓ y P, A, U</source>
        <translation>{take}: present · {absent}: absent · ↓ then P, A, U</translation>
    </message>
    <message>
        <source>Hallazgos anotados</source>
        <translation>Findings entered</translation>
    </message>
    <message>
        <source>Escriba un síntoma o signo. Intro lo anota como presente; Mayús+Intro, como ausente.</source>
        <translation>Type a symptom or sign. Enter notes it as present; Shift+Enter as absent.</translation>
    </message>
    <message>
        <source>Ningún hallazgo con «{text}». Pruebe con otra palabra.</source>
        <translation>No finding with “{text}”. Try another word.</translation>
    </message>
    <message>
        <source>{finding} y {n} más de la misma pregunta</source>
        <translation>{finding} and {n} more of the same question</translation>
    </message>
    <message>
        <source>‹ Pacientes  {key}</source>
        <translation>‹ Patients  {key}</translation>
    </message>
    <message>
        <source>Hallazgos  {key}</source>
        <translation>Findings  {key}</translation>
    </message>
    <message>
        <source>Lista  {key}</source>
        <translation>List  {key}</translation>
    </message>
    <message>
        <source>Por qué  {key}</source>
        <translation>Why  {key}</translation>
    </message>
    <message>
        <source>Triaje: sin datos todavía</source>
        <translation>Triage: nothing entered yet</translation>
    </message>
    <message>
        <source>Triaje {n} · {said}</source>
        <translation>Triage {n} · {said}</translation>
    </message>
    <message>
        <source>Sin guardar: se reintenta</source>
        <translation>Not saved: trying again</translation>
    </message>
    <message>
        <source>Guardando…</source>
        <translation>Saving…</translation>
    </message>
    <message>
        <source>Escribiendo…</source>
        <translation>Typing…</translation>
    </message>
    <message>
        <source>Borrador recuperado</source>
        <translation>Draft restored</translation>
    </message>
    <message>
        <source>Guardado</source>
        <translation>Saved</translation>
    </message>
    <message>
        <source>Calculando la lista…</source>
        <translation>Calculating the list…</translation>
    </message>
    <message>
        <source>Buscando el cambio más pequeño…</source>
        <translation>Looking for the smallest change…</translation>
    </message>
    <message>
        <source>Volver a los pacientes</source>
        <translation>Back to the patients</translation>
    </message>
    <message>
        <source>Guardada</source>
        <translation>Visit saved</translation>
    </message>
    <message>
        <source>{arrow} Constantes ({n})  {key}</source>
        <translation>{arrow} Vital signs ({n})  {key}</translation>
    </message>
</context>
<context>
    <name>Vitals</name>
    <message>
        <source>Temperatura</source>
        <translation>Temperature</translation>
    </message>
    <message>
        <source>Pulso</source>
        <translation>Pulse</translation>
    </message>
    <message>
        <source>Respiración</source>
        <translation>Respiration</translation>
    </message>
    <message>
        <source>Saturación</source>
        <translation>Saturation</translation>
    </message>
    <message>
        <source>Tensión sistólica</source>
        <translation>Systolic pressure</translation>
    </message>
    <message>
        <source>Tensión diastólica</source>
        <translation>Diastolic pressure</translation>
    </message>
    <message>
        <source>Peso</source>
        <translation>Weight</translation>
    </message>
    <message>
        <source>Glucemia capilar</source>
        <translation>Capillary glucose</translation>
    </message>
    <message>
        <source>Con oxígeno</source>
        <translation>On oxygen</translation>
    </message>
    <message>
        <source>Alerta y consciente</source>
        <translation>Alert</translation>
    </message>
    <message>
        <source>Sin dato</source>
        <translation>Not recorded</translation>
    </message>
    <message>
        <source>Sí</source>
        <translation>Yes</translation>
    </message>
    <message>
        <source>No</source>
        <translation>No</translation>
    </message>
    <message>
        <source>respuesta de emergencia</source>
        <translation>emergency response</translation>
    </message>
    <message>
        <source>revisión urgente</source>
        <translation>urgent review</translation>
    </message>
    <message>
        <source>un signo en rojo: revisar</source>
        <translation>one sign in red: review</translation>
    </message>
    <message>
        <source>bajo</source>
        <translation>low</translation>
    </message>
    <message>
        <source>NEWS2 {n}: {word}</source>
        <translation>NEWS2 {n}: {word}</translation>
    </message>
    <message>
        <source>Falta: {names}.</source>
        <translation>Missing: {names}.</translation>
    </message>
    <message>
        <source>se espera {range}</source>
        <translation>expected {range}</translation>
    </message>
</context>
<context>
    <name>Why</name>
    <message>
        <source>Se esperaría, y no se ha preguntado</source>
        <translation>Expected, and not asked</translation>
    </message>
    <message>
        <source>A favor</source>
        <translation>For</translation>
    </message>
    <message>
        <source>En contra</source>
        <translation>Against</translation>
    </message>
    <message>
        <source>Hallazgos esperados que no se han preguntado</source>
        <translation>Expected findings that were not asked</translation>
    </message>
    <message>
        <source>Qué hacer primero si se sospecha</source>
        <translation>What to do first when it is suspected</translation>
    </message>
    <message>
        <source>Por qué</source>
        <translation>Why</translation>
    </message>
    <message>
        <source>Nada de lo anotado habla a favor.</source>
        <translation>Nothing entered speaks for it.</translation>
    </message>
    <message>
        <source>Nada de lo anotado habla en contra.</source>
        <translation>Nothing entered speaks against it.</translation>
    </message>
    <message>
        <source>Aquí verá qué habla a favor y en contra de cada diagnóstico.</source>
        <translation>Here you will see what speaks for and against each diagnosis.</translation>
    </message>
    <message>
        <source>Buscando las razones…</source>
        <translation>Looking for the reasons…</translation>
    </message>
    <message>
        <source>▸ Con barras  {key}</source>
        <translation>▸ With bars  {key}</translation>
    </message>
    <message>
        <source>▸ Con números  {key}</source>
        <translation>▸ With numbers  {key}</translation>
    </message>
    <message>
        <source>▾ Solo frases  {key}</source>
        <translation>▾ Sentences only  {key}</translation>
    </message>
    <message>
        <source>Razones de la última lista registrada.</source>
        <translation>Reasons of the last recorded list.</translation>
    </message>
</context>
<context>
    <name>WhyNot</name>
    <message>
        <source>Enfermedad por la que pregunta</source>
        <translation>Disease you ask about</translation>
    </message>
    <message>
        <source>¿Por qué no…?</source>
        <translation>Why not…?</translation>
    </message>
    <message>
        <source>Buscando el cambio más pequeño…</source>
        <translation>Looking for the smallest change…</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>Vereda</source>
        <translation>Vereda</translation>
    </message>
    <message>
        <source>Abriendo el centro…</source>
        <translation>Opening the clinic…</translation>
    </message>
    <message>
        <source>Ajustes ▾  {key}</source>
        <translation>Settings ▾  {key}</translation>
    </message>
    <message>
        <source>Teclas  {key}</source>
        <translation>Keys  {key}</translation>
    </message>
    <message>
        <source>Cerrar sesión</source>
        <translation>Sign out</translation>
    </message>
    <message>
        <source>Idioma</source>
        <translation>Language</translation>
    </message>
    <message>
        <source>Aspecto</source>
        <translation>Appearance</translation>
    </message>
    <message>
        <source>Como el sistema</source>
        <translation>Like the system</translation>
    </message>
    <message>
        <source>Claro</source>
        <translation>Light</translation>
    </message>
    <message>
        <source>Oscuro</source>
        <translation>Dark</translation>
    </message>
    <message>
        <source>Tamaño del texto</source>
        <translation>Text size</translation>
    </message>
    <message>
        <source>Equipo del centro</source>
        <translation>Equipment of the clinic</translation>
    </message>
    <message>
        <source>Lo que sale del centro…</source>
        <translation>What leaves the clinic…</translation>
    </message>
    <message>
        <source>Gestión del centro</source>
        <translation>Manage the centre</translation>
    </message>
    <message>
        <source>Cuenta en la nube…</source>
        <translation>Cloud account…</translation>
    </message>
    <message>
        <source>Actualizar desde una memoria USB…</source>
        <translation>Update from a USB stick…</translation>
    </message>
    <message>
        <source>Todos los ajustes…</source>
        <translation>All settings…</translation>
    </message>
    <message>
        <source>Auditoría…</source>
        <translation>Audit…</translation>
    </message>
    <message>
        <source>El centro en números…</source>
        <translation>The centre in numbers…</translation>
    </message>
    <message>
        <source>Cuidando los datos: comprobación y copia del día…</source>
        <translation>Looking after the data: today&apos;s check and backup…</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>Edad</source>
        <translation>Age</translation>
    </message>
    <message>
        <source>Sexo</source>
        <translation>Sex</translation>
    </message>
    <message>
        <source>Señal de alarma: {code}</source>
        <translation>Red flag: {code}</translation>
    </message>
    <message>
        <source>Presente</source>
        <translation>Present</translation>
    </message>
    <message>
        <source>Ausente</source>
        <translation>Absent</translation>
    </message>
    <message>
        <source>No se sabe</source>
        <translation>Not known</translation>
    </message>
    <message>
        <source>Muy probable</source>
        <translation>Very likely</translation>
    </message>
    <message>
        <source>Probable</source>
        <translation>Likely</translation>
    </message>
    <message>
        <source>Posible</source>
        <translation>Possible</translation>
    </message>
    <message>
        <source>Poco probable</source>
        <translation>Unlikely</translation>
    </message>
    <message>
        <source>Frecuente</source>
        <translation>Common</translation>
    </message>
    <message>
        <source>Rara</source>
        <translation>Rare</translation>
    </message>
    <message>
        <source>Mujer</source>
        <translation>Female</translation>
    </message>
    <message>
        <source>Hombre</source>
        <translation>Male</translation>
    </message>
    <message>
        <source>Sin dato</source>
        <translation>Not recorded</translation>
    </message>
    <message>
        <source>años</source>
        <translation>years</translation>
    </message>
    <message>
        <source>meses</source>
        <translation>months</translation>
    </message>
    <message>
        <source>días</source>
        <translation>days</translation>
    </message>
    <message>
        <source>De acuerdo</source>
        <translation>Agree</translation>
    </message>
    <message>
        <source>Rechazar</source>
        <translation>Reject</translation>
    </message>
    <message>
        <source>Añadir otro</source>
        <translation>Add another</translation>
    </message>
    <message>
        <source>Otro en su lugar</source>
        <translation>Another instead</translation>
    </message>
    <message>
        <source>No coincide con mi juicio</source>
        <translation>Does not match my judgement</translation>
    </message>
    <message>
        <source>Un término o criterio se entendió mal</source>
        <translation>A term or criterion was misunderstood</translation>
    </message>
    <message>
        <source>No se puede derivar</source>
        <translation>Cannot refer</translation>
    </message>
    <message>
        <source>Otro motivo</source>
        <translation>Another reason</translation>
    </message>
    <message>
        <source>Médico general</source>
        <translation>General practitioner</translation>
    </message>
    <message>
        <source>Médico responsable</source>
        <translation>Responsible physician</translation>
    </message>
    <message>
        <source>Ciencia de datos</source>
        <translation>Data science</translation>
    </message>
    <message>
        <source>Operación de modelos</source>
        <translation>Model operations</translation>
    </message>
    <message>
        <source>Auditoría</source>
        <translation>Audit</translation>
    </message>
    <message>
        <source>explorar</source>
        <translation>examine</translation>
    </message>
    <message>
        <source>termómetro</source>
        <translation>thermometer</translation>
    </message>
    <message>
        <source>oxímetro</source>
        <translation>oximeter</translation>
    </message>
    <message>
        <source>tensiómetro</source>
        <translation>blood pressure cuff</translation>
    </message>
    <message>
        <source>glucómetro</source>
        <translation>glucometer</translation>
    </message>
    <message>
        <source>estetoscopio</source>
        <translation>stethoscope</translation>
    </message>
    <message>
        <source>tira de orina</source>
        <translation>urine strip</translation>
    </message>
    <message>
        <source>electrocardiograma</source>
        <translation>electrocardiogram</translation>
    </message>
    <message>
        <source>laboratorio</source>
        <translation>laboratory</translation>
    </message>
    <message>
        <source>imagen</source>
        <translation>imaging</translation>
    </message>
    <message>
        <source>Deje de preguntar: no queda nada que aquí se pueda averiguar.</source>
        <translation>Stop asking: nothing is left that can be found out here.</translation>
    </message>
    <message>
        <source>Deje de preguntar: ninguna respuesta cambiaría la lista de forma apreciable.</source>
        <translation>Stop asking: no answer would change the list noticeably.</translation>
    </message>
    <message>
        <source>Deje de preguntar: la lista está clara y ninguna respuesta la cambiaría.</source>
        <translation>Stop asking: the list is settled and no answer would change it.</translation>
    </message>
    <message>
        <source>Solo preguntar y explorar</source>
        <translation>Only asking and examining</translation>
    </message>
    <message>
        <source>Puesto rural</source>
        <translation>Rural post</translation>
    </message>
    <message>
        <source>También laboratorio, imagen y ECG</source>
        <translation>Laboratory, imaging and ECG too</translation>
    </message>
    <message>
        <source>menos de {count} de cada {of}</source>
        <translation>fewer than {count} in {of}</translation>
    </message>
    <message>
        <source>{count} de cada {of}</source>
        <translation>{count} in {of}</translation>
    </message>
    <message>
        <source>más de {count} de cada {of}</source>
        <translation>more than {count} in {of}</translation>
    </message>
    <message>
        <source>{n} días</source>
        <translation>{n} days</translation>
    </message>
    <message>
        <source>{n} meses</source>
        <translation>{n} months</translation>
    </message>
    <message>
        <source>{n} años</source>
        <translation>{n} years</translation>
    </message>
    <message>
        <source>leve</source>
        <translation>mild</translation>
    </message>
    <message>
        <source>moderado</source>
        <translation>moderate</translation>
    </message>
    <message>
        <source>grave</source>
        <translation>severe</translation>
    </message>
    <message>
        <source>desde hoy</source>
        <translation>since today</translation>
    </message>
    <message>
        <source>desde ayer</source>
        <translation>since yesterday</translation>
    </message>
    <message>
        <source>hace {n} días</source>
        <translation>{n} days ago</translation>
    </message>
    <message>
        <source>hace {n} meses</source>
        <translation>{n} months ago</translation>
    </message>
    <message>
        <source>hace {n} años</source>
        <translation>{n} years ago</translation>
    </message>
    <message>
        <source>nueva en la lista</source>
        <translation>new on the list</translation>
    </message>
    <message>
        <source>sube {n}</source>
        <translation>up {n}</translation>
    </message>
    <message>
        <source>baja {n}</source>
        <translation>down {n}</translation>
    </message>
    <message>
        <source>antes: {band}</source>
        <translation>before: {band}</translation>
    </message>
    <message>
        <source>,</source>
        <translation>.</translation>
    </message>
</context>
<context>
    <name>Letter</name>
    <message>
        <source>Para</source>
        <translation>To</translation>
    </message>
    <message>
        <source>Se solicita</source>
        <translation>Requested</translation>
    </message>
    <message>
        <source>Constantes vitales</source>
        <translation>Vital signs</translation>
    </message>
    <message>
        <source>Hecho hasta ahora</source>
        <translation>Done so far</translation>
    </message>
    <message>
        <source>Carta de derivación</source>
        <translation>Referral letter</translation>
    </message>
    <message>
        <source>Código {code}</source>
        <translation>Code {code}</translation>
    </message>
    <message>
        <source>nacimiento {date}</source>
        <translation>born {date}</translation>
    </message>
    <message>
        <source>documento {id}</source>
        <translation>document {id}</translation>
    </message>
    <message>
        <source>Atención del {moment}, {name}</source>
        <translation>Seen on {moment}, {name}</translation>
    </message>
    <message>
        <source>Ninguna regla de alarma con lo anotado.</source>
        <translation>No alarm rule fired on what was recorded.</translation>
    </message>
    <message>
        <source>Señales de alarma</source>
        <translation>Red flags</translation>
    </message>
    <message>
        <source>Presente</source>
        <translation>Present</translation>
    </message>
    <message>
        <source>Preguntado y ausente</source>
        <translation>Asked and absent</translation>
    </message>
    <message>
        <source>Preguntado, no se sabe</source>
        <translation>Asked, not known</translation>
    </message>
    <message>
        <source>nada anotado</source>
        <translation>nothing recorded</translation>
    </message>
    <message>
        <source>Hallazgos</source>
        <translation>Findings</translation>
    </message>
    <message>
        <source> ({grade} de 10)</source>
        <translation> ({grade} of 10)</translation>
    </message>
    <message>
        <source>Sin constantes tomadas.</source>
        <translation>No vital signs taken.</translation>
    </message>
    <message>
        <source>Juicio clínico</source>
        <translation>Clinical judgement</translation>
    </message>
    <message>
        <source>Sin decisión registrada todavía.</source>
        <translation>No decision recorded yet.</translation>
    </message>
    <message>
        <source>Ninguna de las conocidas: {frequency}.</source>
        <translation>None of those known: {frequency}.</translation>
    </message>
    <message>
        <source>El modelo no leyó: {names}.</source>
        <translation>The model did not read: {names}.</translation>
    </message>
    <message>
        <source>Lista de posibilidades de Vereda</source>
        <translation>Vereda&apos;s list of possibilities</translation>
    </message>
    <message>
        <source>Vereda, modelo {version}. Código del recibo {code}: con él, el centro que deriva encuentra la consulta y repite el cálculo.</source>
        <translation>Vereda, model {version}. Receipt code {code}: with it the referring centre finds the visit and repeats the computation.</translation>
    </message>
    <message>
        <source>Firma y sello</source>
        <translation>Signature and stamp</translation>
    </message>
    <message>
        <source>Con lo anotado arriba, cuántos casos así son cada una. Orienta; no confirma ninguna.</source>
        <translation>With what is recorded above, how many such cases are each of these. A guide; it confirms none.</translation>
    </message>
    <message>
        <source>Resumen de la consulta</source>
        <translation>Summary of the visit</translation>
    </message>
    <message>
        <source>Antes de ver la lista: sin diagnóstico propio.</source>
        <translation>Before seeing the list: no diagnosis of their own.</translation>
    </message>
    <message>
        <source>Antes de ver la lista: {disease}.</source>
        <translation>Before seeing the list: {disease}.</translation>
    </message>
    <message>
        <source>Plan</source>
        <translation>Plan</translation>
    </message>
</context>
<context>
    <name>Referral</name>
    <message>
        <source>Imprimir…</source>
        <translation>Print…</translation>
    </message>
    <message>
        <source>Cerrar</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>Para (centro o especialidad)</source>
        <translation>To (centre or specialty)</translation>
    </message>
    <message>
        <source>Hecho hasta ahora</source>
        <translation>Done so far</translation>
    </message>
    <message>
        <source>Se solicita</source>
        <translation>Requested</translation>
    </message>
    <message>
        <source>El papel como sale</source>
        <translation>The paper as it leaves</translation>
    </message>
    <message>
        <source>Lleva el nombre del paciente y lo registrado en esta consulta; sus notas no. Lo que escriba aquí sale en el papel y no se guarda en Vereda.</source>
        <translation>It carries the name of the patient and what was recorded in this visit; your notes stay out. What you type here is on the paper and is not kept in Vereda.</translation>
    </message>
    <message>
        <source>✓ Guardado en {path}</source>
        <translation>✓ Saved to {path}</translation>
    </message>
    <message>
        <source>✓ Enviado a la impresora</source>
        <translation>✓ Sent to the printer</translation>
    </message>
    <message>
        <source>Guardar como PDF…  {key}</source>
        <translation>Save as PDF…  {key}</translation>
    </message>
</context>
<context>
    <name>Aggregates</name>
    <message>
        <source>Consultas por semana</source>
        <translation>Visits a week</translation>
    </message>
    <message>
        <source>Qué se decidió</source>
        <translation>What was decided</translation>
    </message>
    <message>
        <source>Por qué no se siguió la lista</source>
        <translation>Why the list was not followed</translation>
    </message>
    <message>
        <source>Diagnósticos decididos</source>
        <translation>Diagnoses decided</translation>
    </message>
    <message>
        <source>Señales de alarma</source>
        <translation>Red flags</translation>
    </message>
    <message>
        <source>Cuántas veces</source>
        <translation>How often</translation>
    </message>
    <message>
        <source>Volver</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>El centro en números</source>
        <translation>The centre in numbers</translation>
    </message>
    <message>
        <source>Contando…</source>
        <translation>Counting…</translation>
    </message>
    <message>
        <source>Desde el {day}. Ningún paciente aparece aquí, y lo que pasó menos de {n} veces no se dice: en un pueblo pequeño se sabría quién es.</source>
        <translation>Since {day}. No patient appears here, and what happened fewer than {n} times is not told: in a small village people would know who it is.</translation>
    </message>
    <message>
        <source>pocas, no se dice</source>
        <translation>few, not told</translation>
    </message>
    <message>
        <source>Nada todavía</source>
        <translation>Nothing yet</translation>
    </message>
    <message>
        <source>Semana del {day}</source>
        <translation>Week of {day}</translation>
    </message>
</context>
<context>
    <name>AuditLog</name>
    <message>
        <source>Centro creado</source>
        <translation>Centre created</translation>
    </message>
    <message>
        <source>Entrada</source>
        <translation>Sign-in</translation>
    </message>
    <message>
        <source>Entrada rechazada</source>
        <translation>Sign-in refused</translation>
    </message>
    <message>
        <source>Salida</source>
        <translation>Sign-out</translation>
    </message>
    <message>
        <source>Paciente registrado</source>
        <translation>Patient registered</translation>
    </message>
    <message>
        <source>Paciente consultado</source>
        <translation>Patient looked at</translation>
    </message>
    <message>
        <source>Lista calculada</source>
        <translation>List calculated</translation>
    </message>
    <message>
        <source>Porqué consultado</source>
        <translation>Reasons looked at</translation>
    </message>
    <message>
        <source>Decisión</source>
        <translation>Decision</translation>
    </message>
    <message>
        <source>Exportación</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Ajuste cambiado</source>
        <translation>Setting changed</translation>
    </message>
    <message>
        <source>Sincronización</source>
        <translation>Synchronisation</translation>
    </message>
    <message>
        <source>Modelo activado</source>
        <translation>Model activated</translation>
    </message>
    <message>
        <source>Modelo rechazado</source>
        <translation>Model refused</translation>
    </message>
    <message>
        <source>Época abierta</source>
        <translation>Epoch opened</translation>
    </message>
    <message>
        <source>Paciente borrado</source>
        <translation>Patient erased</translation>
    </message>
    <message>
        <source>Entrada en la nube</source>
        <translation>Cloud sign-in</translation>
    </message>
    <message>
        <source>Entrada en la nube rechazada</source>
        <translation>Cloud sign-in refused</translation>
    </message>
    <message>
        <source>Función prestada</source>
        <translation>Role lent</translation>
    </message>
    <message>
        <source>Lista de registros vista</source>
        <translation>List of records looked at</translation>
    </message>
    <message>
        <source>Datos comprobados</source>
        <translation>Data checked</translation>
    </message>
    <message>
        <source>Datos dañados apartados</source>
        <translation>Damaged data set aside</translation>
    </message>
    <message>
        <source>Versión de la aplicación</source>
        <translation>Version of the application</translation>
    </message>
    <message>
        <source>Qué se hizo</source>
        <translation>What was done</translation>
    </message>
    <message>
        <source>Buscar en la auditoría</source>
        <translation>Search the audit</translation>
    </message>
    <message>
        <source>Número, persona, registro o código</source>
        <translation>Number, person, record or code</translation>
    </message>
    <message>
        <source>Entradas de la auditoría</source>
        <translation>Audit entries</translation>
    </message>
    <message>
        <source>N.º</source>
        <translation>No.</translation>
    </message>
    <message>
        <source>Cuándo</source>
        <translation>When</translation>
    </message>
    <message>
        <source>Qué</source>
        <translation>What</translation>
    </message>
    <message>
        <source>Sobre</source>
        <translation>About</translation>
    </message>
    <message>
        <source>Todo lo escrito en la entrada elegida</source>
        <translation>Everything written in the chosen entry</translation>
    </message>
    <message>
        <source>Volver</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Auditoría</source>
        <translation>Audit</translation>
    </message>
    <message>
        <source>Todo</source>
        <translation>Everything</translation>
    </message>
    <message>
        <source>{n} de {all} entradas</source>
        <translation>{n} of {all} entries</translation>
    </message>
    <message>
        <source>Leyendo la auditoría…</source>
        <translation>Reading the audit…</translation>
    </message>
    <message>
        <source>Auditoría antigua retirada</source>
        <translation>Old audit let go of</translation>
    </message>
</context>
<context>
    <name>Busy</name>
    <message>
        <source>Cancelar  {key}</source>
        <translation>Cancel  {key}</translation>
    </message>
    <message>
        <source>Trabajando</source>
        <translation>Working</translation>
    </message>
    <message>
        <source>Trabajando…</source>
        <translation>Working…</translation>
    </message>
    <message>
        <source>Terminando: este paso es corto y no se corta…</source>
        <translation>Finishing: this step is short and cannot be cut off…</translation>
    </message>
    <message>
        <source>Cancelando: termina lo que no puede quedar a medias…</source>
        <translation>Cancelling: finishing what cannot be left half done…</translation>
    </message>
    <message>
        <source>{what} {n} %</source>
        <translation>{what} {n} %</translation>
    </message>
</context>
<context>
    <name>DiseaseField</name>
    <message>
        <source>Escriba y elija de la lista</source>
        <translation>Type and choose from the list</translation>
    </message>
</context>
<context>
    <name>History</name>
    <message>
        <source>Consultas del paciente</source>
        <translation>Visits of the patient</translation>
    </message>
    <message>
        <source>La consulta elegida</source>
        <translation>The chosen visit</translation>
    </message>
    <message>
        <source>Exportar fenopaquete…  {key}</source>
        <translation>Export phenopacket…  {key}</translation>
    </message>
    <message>
        <source>Exportar FHIR…  {key}</source>
        <translation>Export FHIR…  {key}</translation>
    </message>
    <message>
        <source>Cerrar</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>↑ ↓ cambia de consulta · C la deja para comparar</source>
        <translation>↑ ↓ changes the visit · C keeps it to compare</translation>
    </message>
    <message>
        <source>Dejar de comparar con esta  C</source>
        <translation>Stop comparing with this one  C</translation>
    </message>
    <message>
        <source>Comparar las demás con esta  C</source>
        <translation>Compare the others with this one  C</translation>
    </message>
    <message>
        <source>Todavía no hay consultas registradas.</source>
        <translation>No visits recorded yet.</translation>
    </message>
    <message>
        <source>✓ Exportado en {path}. Lleva datos del paciente: cuídelo.</source>
        <translation>✓ Exported to {path}. It holds data of the patient: take care of it.</translation>
    </message>
    <message>
        <source>Exportar</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Historia del paciente</source>
        <translation>History of the patient</translation>
    </message>
    <message>
        <source>sin candidatos</source>
        <translation>no candidates</translation>
    </message>
    <message>
        <source>sin decidir; primero de la lista: {disease}</source>
        <translation>not decided; first on the list: {disease}</translation>
    </message>
    <message>
        <source>Presente</source>
        <translation>Present</translation>
    </message>
    <message>
        <source>Ausente</source>
        <translation>Absent</translation>
    </message>
    <message>
        <source>Nota</source>
        <translation>Note</translation>
    </message>
    <message>
        <source>Plan</source>
        <translation>Plan</translation>
    </message>
    <message>
        <source>Modelo {version} · código {code}</source>
        <translation>Model {version} · code {code}</translation>
    </message>
    <message>
        <source>Hallazgos</source>
        <translation>Findings</translation>
    </message>
    <message>
        <source>Constantes vitales</source>
        <translation>Vital signs</translation>
    </message>
    <message>
        <source>Decisión</source>
        <translation>Decision</translation>
    </message>
    <message>
        <source>Lista</source>
        <translation>List</translation>
    </message>
    <message>
        <source>sin diagnóstico propio</source>
        <translation>no diagnosis of their own</translation>
    </message>
    <message>
        <source>Antes de la lista pensó en</source>
        <translation>Thought of before the list</translation>
    </message>
    <message>
        <source>De {before} a {after}</source>
        <translation>From {before} to {after}</translation>
    </message>
    <message>
        <source>Nada cambió.</source>
        <translation>Nothing changed.</translation>
    </message>
    <message>
        <source>Hallazgos que cambiaron</source>
        <translation>Findings that changed</translation>
    </message>
    <message>
        <source>Constantes vitales que cambiaron</source>
        <translation>Vital signs that changed</translation>
    </message>
    <message>
        <source>La lista, y cómo se movió</source>
        <translation>The list, and how it moved</translation>
    </message>
    <message>
        <source>Decisiones</source>
        <translation>Decisions</translation>
    </message>
    <message>
        <source>sin preguntar</source>
        <translation>not asked</translation>
    </message>
    <message>
        <source>sin medir</source>
        <translation>not measured</translation>
    </message>
    <message>
        <source>Leyendo la historia…</source>
        <translation>Reading the history…</translation>
    </message>
    <message>
        <source>Exportando…</source>
        <translation>Exporting…</translation>
    </message>
</context>
<context>
    <name>Numbers</name>
    <message>
        <source>Peso de cada dato en el modelo (log-odds)</source>
        <translation>Weight of each input in the model (log-odds)</translation>
    </message>
    <message>
        <source>Peso</source>
        <translation>Weight</translation>
    </message>
    <message>
        <source>Respuesta</source>
        <translation>Answer</translation>
    </message>
    <message>
        <source>Dato</source>
        <translation>Input</translation>
    </message>
    <message>
        <source>Punto de partida</source>
        <translation>Starting point</translation>
    </message>
    <message>
        <source>Suma</source>
        <translation>Sum</translation>
    </message>
</context>
<context>
    <name>Onset</name>
    <message>
        <source>Desde hace cuánto</source>
        <translation>Since when</translation>
    </message>
    <message>
        <source>3 d, 2 semanas, 1 mes, 1 año</source>
        <translation>3 d, 2 weeks, 1 month, 1 year</translation>
    </message>
    <message>
        <source>{finding}: ¿desde hace cuánto? Vacío, no se sabe.</source>
        <translation>{finding}: since when? Empty, not known.</translation>
    </message>
    <message>
        <source>Escriba un número y d, semanas, meses o años.</source>
        <translation>Type a number and d, weeks, months or years.</translation>
    </message>
</context>
<context>
    <name>Opinion</name>
    <message>
        <source>Su diagnóstico, antes de ver la lista</source>
        <translation>Your diagnosis, before you see the list</translation>
    </message>
    <message>
        <source>Ver la lista</source>
        <translation>See the list</translation>
    </message>
    <message>
        <source>Aún no pienso en ninguno</source>
        <translation>None yet</translation>
    </message>
    <message>
        <source>Primero, su diagnóstico</source>
        <translation>First, your diagnosis</translation>
    </message>
    <message>
        <source>Diga en qué piensa usted; después aparece la lista. Queda guardado con ella.</source>
        <translation>Say what you think of; then the list appears. It is kept with it.</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>Servidor de sincronización</source>
        <translation>Sync server</translation>
    </message>
    <message>
        <source>Organización en la nube</source>
        <translation>Organisation in the cloud</translation>
    </message>
    <message>
        <source>Aplicación en la nube</source>
        <translation>Application in the cloud</translation>
    </message>
    <message>
        <source>Código del centro</source>
        <translation>Code of the centre</translation>
    </message>
    <message>
        <source>Actualizar el modelo solo</source>
        <translation>Update the model by itself</translation>
    </message>
    <message>
        <source>Canal de modelos</source>
        <translation>Channel of models</translation>
    </message>
    <message>
        <source>Avisar de un modelo viejo (días)</source>
        <translation>Warn of an old model (days)</translation>
    </message>
    <message>
        <source>Cómo se sale a la red</source>
        <translation>How the network is reached</translation>
    </message>
    <message>
        <source>Intermediario de red</source>
        <translation>Network proxy</translation>
    </message>
    <message>
        <source>Certificados propios</source>
        <translation>Own certificates</translation>
    </message>
    <message>
        <source>Qué viaja cuando se pagan los datos</source>
        <translation>What travels over a paid link</translation>
    </message>
    <message>
        <source>Bytes al día por enlace de pago (0: sin límite)</source>
        <translation>Bytes a day over a paid link (0: no limit)</translation>
    </message>
    <message>
        <source>Cerrar la sesión sin uso (minutos)</source>
        <translation>End an unused session (minutes)</translation>
    </message>
    <message>
        <source>Carpeta de copias de seguridad</source>
        <translation>Folder of backups</translation>
    </message>
    <message>
        <source>Copias que se guardan</source>
        <translation>Backups kept</translation>
    </message>
    <message>
        <source>Sacar registros en memoria USB</source>
        <translation>Take records out on a USB stick</translation>
    </message>
    <message>
        <source>Detalle del registro técnico</source>
        <translation>Detail of the technical log</translation>
    </message>
    <message>
        <source>Guardar la auditoría (días)</source>
        <translation>Keep the audit (days)</translation>
    </message>
    <message>
        <source>Primero el diagnóstico propio</source>
        <translation>Own diagnosis first</translation>
    </message>
    <message>
        <source>De fábrica</source>
        <translation>Default</translation>
    </message>
    <message>
        <source>Este equipo</source>
        <translation>This computer</translation>
    </message>
    <message>
        <source>Su organización</source>
        <translation>Your organisation</translation>
    </message>
    <message>
        <source>Ajustes en vigor</source>
        <translation>Settings in force</translation>
    </message>
    <message>
        <source>Ajuste</source>
        <translation>Setting</translation>
    </message>
    <message>
        <source>Valor</source>
        <translation>Value</translation>
    </message>
    <message>
        <source>Quién lo puso</source>
        <translation>Set by</translation>
    </message>
    <message>
        <source>Pedir mi diagnóstico antes de mostrar la lista</source>
        <translation>Ask for my diagnosis before showing the list</translation>
    </message>
    <message>
        <source>lo fijó su organización</source>
        <translation>set by your organisation</translation>
    </message>
    <message>
        <source>Volver</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Ajustes</source>
        <translation>Settings</translation>
    </message>
    <message>
        <source>Esta ventana</source>
        <translation>This window</translation>
    </message>
    <message>
        <source>Los cambia quien administra el equipo. Lo que dice «bloqueado» lo fijó su organización y aquí nadie puede cambiarlo.</source>
        <translation>Whoever runs this computer changes them. What says “locked” was set by your organisation, and nobody can change it here.</translation>
    </message>
    <message>
        <source>bloqueado: {origin}</source>
        <translation>locked: {origin}</translation>
    </message>
    <message>
        <source>sin poner</source>
        <translation>not set</translation>
    </message>
    <message>
        <source>Sí</source>
        <translation>Yes</translation>
    </message>
    <message>
        <source>No</source>
        <translation>No</translation>
    </message>
    <message>
        <source>como el sistema</source>
        <translation>as the system does</translation>
    </message>
    <message>
        <source>directa</source>
        <translation>direct</translation>
    </message>
    <message>
        <source>por el intermediario</source>
        <translation>through the proxy</translation>
    </message>
    <message>
        <source>todo</source>
        <translation>everything</translation>
    </message>
    <message>
        <source>solo registros</source>
        <translation>records only</translation>
    </message>
    <message>
        <source>nada</source>
        <translation>nothing</translation>
    </message>
    <message>
        <source>estable</source>
        <translation>stable</translation>
    </message>
    <message>
        <source> %</source>
        <translation>%</translation>
    </message>
    <message>
        <source>solo errores</source>
        <translation>errors only</translation>
    </message>
    <message>
        <source>avisos</source>
        <translation>warnings</translation>
    </message>
    <message>
        <source>normal</source>
        <translation>normal</translation>
    </message>
    <message>
        <source>todo el detalle</source>
        <translation>every detail</translation>
    </message>
</context>
<context>
    <name>Trial</name>
    <message>
        <source>¿Y si…? Cambie hallazgos y mire cómo se mueve la lista. Nada de esto se anota.</source>
        <translation>What if…? Change findings and watch the list move. None of this is noted.</translation>
    </message>
    <message>
        <source>Anotarlo  {key}</source>
        <translation>Note it  {key}</translation>
    </message>
    <message>
        <source>Dejarlo como estaba  {key}</source>
        <translation>Leave it as it was  {key}</translation>
    </message>
</context>
</TS>
