"""What the policy editor says of each setting, in Spanish and English."""

from types import MappingProxyType
from typing import Final, NamedTuple


class Words(NamedTuple):
    """Title and explanation in both languages."""

    title_es: str
    help_es: str
    title_en: str
    help_en: str


SETTINGS: Final = MappingProxyType(
    {
        "SyncUrl": Words(
            "Dirección de la nube",
            "Dirección https de la nube a la que se envían los registros seudonimizados.",
            "Address of the cloud",
            "The https address pseudonymised records are sent to.",
        ),
        "TenantId": Words(
            "Inquilino de Entra ID",
            "Identificador del inquilino con el que entran las personas.",
            "Entra ID tenant",
            "Identifier of the tenant people sign in with.",
        ),
        "ClientId": Words(
            "Aplicación de Entra ID",
            "Identificador de cliente de la aplicación registrada para Vereda.",
            "Entra ID application",
            "Client identifier of the application registered for Vereda.",
        ),
        "SiteId": Words(
            "Centro",
            "Nombre corto del centro; la nube reparte por él las versiones de los modelos.",
            "Site",
            "Short name of the site; the cloud rolls out model releases by it.",
        ),
        "AutoUpdateEnabled": Words(
            "Actualizar los modelos sin preguntar",
            "Con 0 no se descarga ninguna versión; las órdenes de retirada se siguen leyendo.",
            "Update models without asking",
            "When off no release is downloaded; orders that withdraw one are still read.",
        ),
        "UpdateChannel": Words(
            "Canal de versiones",
            "Canal del que se toman los modelos, por ejemplo stable.",
            "Release channel",
            "Channel models are taken from, for example stable.",
        ),
        "MaxModelAgeDays": Words(
            "Días hasta avisar de un modelo viejo",
            "Tras tantos días sin un modelo más nuevo, la pantalla avisa.",
            "Days until an old model is pointed out",
            "After so many days without a newer model the screen warns.",
        ),
        "ProxyMode": Words(
            "Cómo se llega a la red",
            "El proxy del sistema, ninguno, o el de la política «Dirección del proxy».",
            "How the network is reached",
            "The system's proxy, none, or the one of the policy “Proxy address”.",
        ),
        "ProxyUrl": Words(
            "Dirección del proxy",
            "Por ejemplo http://proxy.example:3128. No ponga contraseñas: cualquiera las lee.",
            "Proxy address",
            "For example http://proxy.example:3128. No passwords: everybody can read them.",
        ),
        "CaBundlePath": Words(
            "Autoridad propia",
            "Archivo PEM de una autoridad que se acepta además de las del sistema.",
            "Private authority",
            "PEM file of a certificate authority trusted beside those of the system.",
        ),
        "MeteredPolicy": Words(
            "En conexiones de pago por datos",
            "Qué puede viajar: todo, solo registros, o nada.",
            "On links paid by the byte",
            "What may travel: everything, records only, or nothing.",
        ),
        "DailyByteBudget": Words(
            "Bytes diarios en conexiones de pago",
            "Bytes de modelos por día en conexiones de pago; 0 es sin límite.",
            "Bytes a day on paid links",
            "Bytes of models a day on paid links; 0 is no limit.",
        ),
        "IdleLockMinutes": Words(
            "Minutos sin uso hasta cerrar la sesión",
            "La sesión termina cuando nadie toca el equipo durante tantos minutos.",
            "Idle minutes until the session ends",
            "The session ends when nobody touches the computer for so many minutes.",
        ),
        "BackupFolder": Words(
            "Carpeta de las copias",
            "Vacía: en la carpeta de datos. Mejor otro disco; los centros pueden compartirlo.",
            "Folder of backups",
            "Empty: inside the data folder. Another disk is better; clinics may share it.",
        ),
        "BackupsKept": Words(
            "Copias que se guardan",
            "Cuántas copias cifradas quedan; la más vieja se borra.",
            "Backups kept",
            "How many encrypted backups remain; the oldest is deleted.",
        ),
        "AllowUsbExport": Words(
            "Permitir sacar registros en USB",
            "Archivo cifrado y firmado para centros sin conexión.",
            "Allow records on USB sticks",
            "An encrypted and signed file, for sites without a link.",
        ),
        "LogLevel": Words(
            "Detalle del registro técnico",
            "Nunca contiene pacientes, a ningún nivel.",
            "Detail of the log",
            "It holds no patient at any level.",
        ),
        "AuditRetentionDays": Words(
            "Días que se guarda la auditoría",
            "Solo se retira lo que el servidor ya tiene y refrendó. Al menos seis meses.",
            "Days the audit is kept",
            "Only what the server already has and countersigned goes. At least six months.",
        ),
        "Language": Words(
            "Idioma de la ventana",
            "El de partida; cada persona puede elegir otro en la ventana.",
            "Language of the window",
            "The first one; each person may choose another in the window.",
        ),
        "CommitFirstMode": Words(
            "Primero el diagnóstico del profesional",
            "La lista se muestra después de anotar la propia impresión.",
            "The clinician's diagnosis first",
            "The list is shown after one's own impression has been written down.",
        ),
    }
)

CHOICES: Final = MappingProxyType(
    {
        "ProxyMode.system": ("El del sistema", "The system's"),
        "ProxyMode.none": ("Ninguno", "None"),
        "ProxyMode.manual": ("El de la dirección indicada", "The one of the address given"),
        "MeteredPolicy.allow": ("Todo", "Everything"),
        "MeteredPolicy.records_only": ("Solo registros", "Records only"),
        "MeteredPolicy.nothing": ("Nada", "Nothing"),
        "LogLevel.error": ("Errores", "Errors"),
        "LogLevel.warning": ("Avisos", "Warnings"),
        "LogLevel.info": ("Normal", "Normal"),
        "LogLevel.debug": ("Todo", "Everything"),
        "Language.system": ("El del sistema", "The system's"),
        "Language.es": ("Español", "Spanish"),
        "Language.en": ("Inglés", "English"),
    }
)
ABOUT: Final = MappingProxyType(
    {
        "category": ("Vereda", "Vereda"),
        "supported": ("Vereda 0.1 o posterior", "Vereda 0.1 or later"),
    }
)
