"""Error codes in words that say what to do next; an unknown code is shown with a plain sentence."""

from typing import Final

from ddx.intake.issues import CaseIssue
from desktop.presenters.first_run import Field
from desktop.presenters.patients import FormIssue
from desktop.presenters.reducer import Refusal
from desktop.ui import vitals
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.labels import Labels

_REFUSALS: Final = {
    "visit.trial": QT_TRANSLATE_NOOP(
        "Messages",
        "Está probando y nada se anota. Anote los cambios (Ctrl+Intro) o déjelos (Esc) y siga.",
    ),
    "sign_in.empty": QT_TRANSLATE_NOOP("Messages", "Escriba su frase de paso para entrar."),
    "sign_in.refused": QT_TRANSLATE_NOOP(
        "Messages",
        "La frase de paso no es correcta. Revise las mayúsculas y vuelva a intentarlo.",
    ),
    "store.corrupt": QT_TRANSLATE_NOOP(
        "Messages",
        "Los datos de este equipo están dañados. Nada se ha borrado: apártelos con el botón y "
        "restaure la última copia de seguridad, o llame a soporte.",
    ),
    "store.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "No se puede usar el almacén de datos. Reintente; si se repite, llame a soporte. "
        "Nada se ha borrado.",
    ),
    "store.wrong_key": QT_TRANSLATE_NOOP("Messages", "La clave no abre este centro. Revísela."),
    "store.exists": QT_TRANSLATE_NOOP(
        "Messages", "En este equipo ya hay un centro. Cierre Vereda y ábralo para entrar."
    ),
    "store.newer": QT_TRANSLATE_NOOP(
        "Messages", "Estos datos son de una versión más nueva de Vereda. Actualícela y entre."
    ),
    "store.full": QT_TRANSLATE_NOOP(
        "Messages",
        "El disco está lleno. Vereda ha soltado el espacio que guardaba para esto: vuelva a "
        "guardar ahora y después borre archivos de este equipo. Lo escrito sigue en pantalla.",
    ),
    "store.busy": QT_TRANSLATE_NOOP(
        "Messages", "Otra ventana de Vereda está usando estos datos. Ciérrela y reintente."
    ),
    "store.closed": QT_TRANSLATE_NOOP("Messages", "La sesión está cerrada. Entre de nuevo."),
    "record.missing": QT_TRANSLATE_NOOP(
        "Messages", "Ese registro ya no está. Vuelva a los pacientes y ábralo de nuevo."
    ),
    "phenopacket.not_one": QT_TRANSLATE_NOOP(
        "Messages", "Ese archivo no es un fenopaquete (versión 2, JSON). Elija otro archivo."
    ),
    "passphrase.too_short": QT_TRANSLATE_NOOP(
        "Messages", "Use al menos 8 caracteres; varias palabras sueltas son fáciles de recordar."
    ),
    "clinic.details": QT_TRANSLATE_NOOP(
        "Messages", "Faltan el nombre del centro o el suyo. No se ha creado nada."
    ),
    "recovery.empty": QT_TRANSLATE_NOOP(
        "Messages", "Escriba la clave de recuperación tal como está en el papel."
    ),
    "recovery.mistyped": QT_TRANSLATE_NOOP(
        "Messages", "La clave de recuperación está mal copiada. Revise el grupo {detail}."
    ),
    "passphrase.differs": QT_TRANSLATE_NOOP("Messages", "Las dos frases no coinciden."),
    "restore.empty": QT_TRANSLATE_NOOP(
        "Messages",
        "Escriba una frase de paso o la clave de recuperación del día en que se hizo la copia.",
    ),
    "backup.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "Esa copia está incompleta o alterada y no se ha usado. Elija otra; sus datos siguen "
        "como estaban.",
    ),
    "referral.file": QT_TRANSLATE_NOOP(
        "Messages", "No se puede escribir ahí. Elija otra carpeta para la carta."
    ),
    "staff.name_missing": QT_TRANSLATE_NOOP("Messages", "Falta el nombre."),
    "staff.own_missing": QT_TRANSLATE_NOOP(
        "Messages", "Escriba su propia frase de paso para confirmar que es usted."
    ),
    "staff.oneself": QT_TRANSLATE_NOOP(
        "Messages", "No puede quitarse a usted. Pídalo a otro médico responsable."
    ),
    "recovery.refused": QT_TRANSLATE_NOOP(
        "Messages", "La clave de recuperación no es la de este centro. Cópiela del papel."
    ),
    "audit.broken_chain": QT_TRANSLATE_NOOP(
        "Messages", "El registro de auditoría no encaja. Avise a soporte antes de seguir."
    ),
    "audit.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "La nube no ha podido refrendar la auditoría. Todo sigue guardado aquí y firmado.",
    ),
    "export.file": QT_TRANSLATE_NOOP(
        "Messages", "No se puede escribir ese archivo. Elija otra carpeta."
    ),
    "receipt.short_code": QT_TRANSLATE_NOOP(
        "Messages",
        "El código del comprobante no es correcto: doce letras y cifras en tres grupos. Léalo "
        "otra vez del papel.",
    ),
    "lease.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "La nube no reconoce una función para esta identidad. La de este centro sigue valiendo.",
    ),
    "cloud.not_set_up": QT_TRANSLATE_NOOP(
        "Messages",
        "Este equipo no tiene cuenta de nube configurada. Pídala a quien administra los equipos.",
    ),
    "cloud.unreachable": QT_TRANSLATE_NOOP(
        "Messages", "La nube de identidades no responde. Puede seguir trabajando; reintente luego."
    ),
    "cloud.sign_in_refused": QT_TRANSLATE_NOOP(
        "Messages", "No se ha completado la entrada en la nube. Puede seguir trabajando; repítala."
    ),
    "cloud.other_identity": QT_TRANSLATE_NOOP(
        "Messages", "Su usuario ya está unido a otra identidad de la nube. Hable con quien audita."
    ),
    "settings.invalid": QT_TRANSLATE_NOOP(
        "Messages",
        "Los ajustes no se pueden usar. Si es el archivo del centro, corríjalo o bórrelo y "
        "reinicie; si los pone una política de su organización, avise a quien administra los "
        "equipos.",
    ),
    "application.no_installer": QT_TRANSLATE_NOOP(
        "Messages",
        "No hay aquí instalador de esa versión. Pídalo a quien administra los equipos.",
    ),
    "case.invalid": QT_TRANSLATE_NOOP(
        "Messages", "Lo anotado no forma un caso. Revise los hallazgos y la edad."
    ),
    "identifier.malformed": QT_TRANSLATE_NOOP(
        "Messages", "Un código no tiene la forma debida. Quite el hallazgo y búsquelo de nuevo."
    ),
    "explanation.other_bundle": QT_TRANSLATE_NOOP(
        "Messages",
        "La lista se hizo con un modelo que ya no está. Cambie algo y pulse F5 para explicarla.",
    ),
    "sync.not_linked": QT_TRANSLATE_NOOP(
        "Messages", "Este centro no está unido a una nube. Todo sigue guardado en el equipo."
    ),
    "sync.unusable": QT_TRANSLATE_NOOP(
        "Messages", "No se ha podido sincronizar. Todo sigue guardado aquí; se reintentará."
    ),
    "auth.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "La nube no reconoce este equipo. Todo sigue guardado aquí; pida un código nuevo.",
    ),
    "enrolment.unusable": QT_TRANSLATE_NOOP(
        "Messages", "El código de alta no vale. Pida uno nuevo a quien administra la nube."
    ),
    "role.denied": QT_TRANSLATE_NOOP(
        "Messages", "Su función no permite esta acción. Pídala al médico responsable."
    ),
    "draft.refused": QT_TRANSLATE_NOOP(
        "Messages", "Antes de calcular, corrija lo marcado a la izquierda. Nada se ha perdido."
    ),
    "visit.no_list": QT_TRANSLATE_NOOP(
        "Messages", "Primero calcule la lista con F5; después podrá decidir."
    ),
    "visit.stale": QT_TRANSLATE_NOOP(
        "Messages",
        "Los hallazgos han cambiado. Pulse F5 para actualizar la lista y decida después.",
    ),
    "patient.refused": QT_TRANSLATE_NOOP(
        "Messages", "Los datos del paciente no se sostienen. Corrija lo marcado."
    ),
    "disease.unknown": QT_TRANSLATE_NOOP(
        "Messages", "Este diagnóstico ya no está en el modelo activo. Vuelva a calcular con F5."
    ),
    "finding.unknown": QT_TRANSLATE_NOOP(
        "Messages", "Un hallazgo no existe en el vocabulario activo. Quítelo y búsquelo de nuevo."
    ),
    "model.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "El modelo de este equipo no se puede usar. Reinstale Vereda o reciba un modelo nuevo; "
        "los datos de los pacientes están a salvo.",
    ),
    "model.schema_mismatch": QT_TRANSLATE_NOOP(
        "Messages",
        "Las piezas del modelo no encajan entre sí. Reinstale Vereda; los datos están a salvo.",
    ),
    "bundle.budget": QT_TRANSLATE_NOOP(
        "Messages",
        "Los bytes de hoy para modelos se han gastado. Lo que llegó se guarda; mañana sigue.",
    ),
    "usb.unreadable": QT_TRANSLATE_NOOP(
        "Messages",
        "Ese archivo no es de esta nube, o llegó dañado. No se ha tomado nada de él; pida otra "
        "copia.",
    ),
    "usb.signature": QT_TRANSLATE_NOOP(
        "Messages",
        "La firma de ese archivo no es la esperada. No se ha tomado nada de él; avise a soporte.",
    ),
    "bundle.metered": QT_TRANSLATE_NOOP(
        "Messages",
        "Hay un modelo más nuevo, pero esta red se paga por bytes. Llegará por otra red.",
    ),
    "bundle.blocked": QT_TRANSLATE_NOOP(
        "Messages",
        "Ese modelo está detenido por seguridad y no se usará. Sigue trabajando el que hay.",
    ),
    "model.blocked": QT_TRANSLATE_NOOP(
        "Messages",
        "El modelo que tendría que contestar está detenido por seguridad. Decida sin él; las "
        "alarmas y las reglas siguen funcionando.",
    ),
    "bundle.unusable": QT_TRANSLATE_NOOP(
        "Messages",
        "El modelo no ha superado la verificación y no se usará. Reinstale Vereda o llame a "
        "soporte; los datos de los pacientes están a salvo.",
    ),
    "work.stopped": QT_TRANSLATE_NOOP(
        "Messages", "Cancelado. Nada ha quedado a medias: repítalo cuando quiera."
    ),
    "internal": QT_TRANSLATE_NOOP(
        "Messages",
        "Algo ha fallado dentro de Vereda. Lo guardado está a salvo: reintente y, si se repite, "
        "llame a soporte.",
    ),
}
_FIRST_RUN: Final = {
    (Field.CLINIC_NAME, "required"): QT_TRANSLATE_NOOP("Messages", "Falta el nombre del centro."),
    (Field.DISPLAY_NAME, "required"): QT_TRANSLATE_NOOP("Messages", "Falta su nombre."),
    (Field.PASSPHRASE, "too_short"): QT_TRANSLATE_NOOP(
        "Messages", "Use al menos 8 caracteres; varias palabras sueltas son fáciles de recordar."
    ),
    (Field.REPEATED, "differs"): QT_TRANSLATE_NOOP("Messages", "Las dos frases no coinciden."),
    (Field.SERVER, "required"): QT_TRANSLATE_NOOP(
        "Messages", "Falta la dirección del servidor; se la da quien administra la nube."
    ),
    (Field.CODE, "required"): QT_TRANSLATE_NOOP(
        "Messages", "Falta el código; se lo da quien administra la nube y vale una sola vez."
    ),
}
_FORM: Final = {
    "patient.given_name_missing": QT_TRANSLATE_NOOP("Messages", "Falta el nombre."),
    "patient.family_name_missing": QT_TRANSLATE_NOOP("Messages", "Faltan los apellidos."),
    "patient.name_missing": QT_TRANSLATE_NOOP("Messages", "Falta el nombre o los apellidos."),
    "patient.birth_date_unreadable": QT_TRANSLATE_NOOP(
        "Messages", "Escriba la fecha de nacimiento como día/mes/año, por ejemplo 07/03/1984."
    ),
    "patient.birth_date_future": QT_TRANSLATE_NOOP(
        "Messages", "La fecha de nacimiento es posterior a hoy. Revísela."
    ),
    "patient.birth_date_too_old": QT_TRANSLATE_NOOP(
        "Messages", "Con esa fecha tendría más de 125 años. Revise el año."
    ),
}
_ISSUES: Final = {
    "age.missing": QT_TRANSLATE_NOOP("Messages", "Falta la edad: la lista será menos fiable."),
    "age.not_a_number": QT_TRANSLATE_NOOP(
        "Messages", "Edad «{text}»: escriba solo el número y elija la unidad."
    ),
    "age.negative": QT_TRANSLATE_NOOP("Messages", "Edad {text}: no puede ser negativa."),
    "age.too_high": QT_TRANSLATE_NOOP(
        "Messages", "Edad {text}: supera los {limit_years} años. Revise el número y la unidad."
    ),
    "finding.unknown_code": QT_TRANSLATE_NOOP(
        "Messages", "«{finding}» no está en el vocabulario. Quítelo y búsquelo de nuevo."
    ),
    "finding.repeated": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: está anotado dos veces. Quite uno."
    ),
    "finding.contradiction": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: está como presente y como ausente. Quite uno de los dos."
    ),
    "finding.excluded_kind": QT_TRANSLATE_NOOP(
        "Messages",
        "{excluded} está como ausente, pero {present} es un tipo de lo mismo. Corrija uno.",
    ),
    "finding.excluded_implied": QT_TRANSLATE_NOOP(
        "Messages", "{present} suele implicar {excluded}, que está como ausente. Revíselo."
    ),
    "finding.grade_out_of_range": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: la intensidad va de 0 a 10."
    ),
    "finding.grade_not_expected": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: no lleva intensidad. Quítelo y anótelo de nuevo."
    ),
    "finding.grade_missing": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: falta la intensidad. Elija la línea y pulse un número."
    ),
    "finding.onset_negative": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: el inicio no puede estar en el futuro."
    ),
    "finding.onset_before_birth": QT_TRANSLATE_NOOP(
        "Messages", "{finding}: el inicio es anterior al nacimiento. Revise la edad o el inicio."
    ),
    "findings.none": QT_TRANSLATE_NOOP(
        "Messages", "Anote al menos un hallazgo, presente o ausente."
    ),
    "findings.none_present": QT_TRANSLATE_NOOP(
        "Messages", "Solo hay hallazgos ausentes: añada lo que sí encuentra."
    ),
    "vital.unknown": QT_TRANSLATE_NOOP("Messages", "«{vital}» no es una constante conocida."),
    "vital.not_a_number": QT_TRANSLATE_NOOP(
        "Messages", "{vital} «{text}»: escriba solo el número, con coma o punto decimal."
    ),
    "vital.not_yes_or_no": QT_TRANSLATE_NOOP("Messages", "{vital}: responda sí o no."),
    "vital.out_of_range": QT_TRANSLATE_NOOP(
        "Messages", "{vital} {value}: no es posible (de {low} a {high}). Revise el número."
    ),
    "vital.unusual_for_age": QT_TRANSLATE_NOOP(
        "Messages", "{vital} {value}: poco habitual a esta edad. Confirme que es así."
    ),
    "vital.diastolic_not_below_systolic": QT_TRANSLATE_NOOP(
        "Messages",
        "La tensión diastólica ({diastolic}) no es menor que la sistólica ({systolic}).",
    ),
}
_MEANT: Final = QT_TRANSLATE_NOOP("Messages", "¿Quiso decir {meant}?")


def refusal(refused: Refusal | None) -> str:
    """Return words for a refusal, empty for none."""
    if refused is None:
        return ""
    source = _REFUSALS.get(refused.code) or _REFUSALS.get(refused.code.split(".")[0] + ".unusable")
    if source is None:
        return translate(
            "Messages",
            "No se ha podido completar la acción (código {code}). Reintente; si se repite, "
            "dé este código a soporte.",
        ).format(code=refused.code)
    return translate("Messages", source).replace("{detail}", refused.detail)


def first_run_issue(field: Field, code: str) -> str:
    """Return what is wrong with one field of the first-run form."""
    return translate("Messages", _FIRST_RUN[field, code])


def form_issue(issue: FormIssue) -> str:
    """Return what is wrong with the new-patient form."""
    source = _FORM.get(issue.code)
    return translate("Messages", source) if source else refusal(Refusal(issue.code))


def issue(found: CaseIssue, labels: Labels) -> str:
    """Return one issue of a draft, naming what it is about."""
    source = _ISSUES.get(found.code)
    if source is None:
        unknown = translate("Messages", "{about}: revise este dato (código {code}).")
        return unknown.format(about=_named(found.field, labels), code=found.code)
    params = {name: _named(value, labels) for name, value in found.params.items()}
    said = translate("Messages", source).format_map(params)
    if not found.suggestion:
        return said
    meant = translate("Messages", _MEANT).format(meant=_named(found.suggestion, labels))
    return f"{said} {meant}"


def _named(value: str, labels: Labels) -> str:
    """Return the name behind a finding id or a vital sign, or the value itself."""
    if value in ("age", "sex") or ":" in value:
        return labels.subject(value)
    return vitals.name_of(value)
