"""What to do next about each refusal, in Spanish and English: the `detail` of problem details."""

from types import MappingProxyType
from typing import Final

_TOKEN: Final = (
    "Pida otro token de acceso; si vuelve a ocurrir, avise a quien administra la organización.",
    "Get another access token; if it happens again, tell whoever administers the organisation.",
)
_ENROL: Final = (
    "Inscriba el equipo con un código nuevo.",
    "Enrol the device with a new code.",
)
_FIELD: Final = (
    "Corrija el campo que indica «where» y envíelo otra vez.",
    "Put the field named in `where` right and send it again.",
)
_CASE: Final = (
    "Corrija el caso; «reason» dice qué no encaja.",
    "Put the case right; `reason` says what does not fit.",
)
_WAIT: Final = (
    "Espere los segundos que indica Retry-After y repita la petición.",
    "Wait as many seconds as Retry-After says and repeat the request.",
)
_SIGN: Final = (
    "Firme la petición con la clave con la que se inscribió el equipo.",
    "Sign the request with the key the device enrolled with.",
)
_OPERATE: Final = (
    "Avise a quien opera el servicio: le falta algo de su instalación; no depende de la petición.",
    "Tell whoever runs the service: its installation lacks something; the request is not at fault.",
)
_LOOK: Final = (
    "Compruebe el identificador; lo de otra organización tampoco se encuentra.",
    "Check the id; what belongs to another organisation is not found either.",
)

ADVICE: Final = MappingProxyType(
    {
        "internal": (
            "Repita la petición más tarde; si vuelve a fallar, avise a quien opera el servicio.",
            "Repeat the request later; if it fails again, tell whoever runs the service.",
        ),
        "engine.not_ready": _WAIT,
        "registry.missing": _OPERATE,
        "sync.busy": _WAIT,
        "stream.broker": _WAIT,
        "stream.kafka_missing": _OPERATE,
        "record.cosmos_missing": _OPERATE,
        "observability.monitor_missing": _OPERATE,
        "http": ("Compruebe la petición.", "Check the request."),
        "http.404": ("Compruebe la dirección en /docs.", "Check the address in /docs."),
        "http.405": ("Compruebe el método en /docs.", "Check the method in /docs."),
        "identifier.malformed": (
            "Escriba el identificador como en la documentación.",
            "Write the id as the documentation does.",
        ),
        "finding.unknown": (
            "Use un hallazgo del catálogo del paquete en servicio.",
            "Use a finding of the served bundle's catalogue.",
        ),
        "disease.unknown": (
            "Use una enfermedad del paquete en servicio.",
            "Use a disease of the served bundle.",
        ),
        "case.invalid": _CASE,
        "role.denied": (
            "Pida el permiso a quien administra la organización.",
            "Ask whoever administers the organisation for the permission.",
        ),
        "sync.protocol": ("Actualice la aplicación.", "Update the application."),
        "sync.malformed": _FIELD,
        "sync.schema_unsupported": ("Actualice la aplicación.", "Update the application."),
        "sync.too_large": (
            "Envíe menos de una vez; «limit_bytes» dice cuánto cabe.",
            "Send less at once; `limit_bytes` says how much fits.",
        ),
        "database.busy": _WAIT,
        "sync.conflict": (
            "No repita el lote y avise a quien administra la organización.",
            "Do not repeat the batch, and tell whoever administers the organisation.",
        ),
        "sync.encoding_unsupported": (
            "Envíe el cuerpo sin comprimir o con zstd.",
            "Send the body plain or compressed with zstd.",
        ),
        "sync.device_mismatch": (
            "Envíe cada lote con el equipo que lo hizo.",
            "Send each batch from the device that made it.",
        ),
        "sync.too_fast": _WAIT,
        "limit.too_many": _WAIT,
        "limit.address": (
            "Conéctese desde una red autorizada.",
            "Connect from a network that is allowed.",
        ),
        "lease.refused": (
            "Inicie sesión con la cuenta de su organización, con una sola función asignada.",
            "Sign in with the account of your organisation, with exactly one role assigned.",
        ),
        "audit.head_not_signed": _SIGN,
        "usb.unreadable": ("Exporte el archivo otra vez.", "Export the file again."),
        "usb.signature": (
            "Exporte el archivo con el equipo inscrito.",
            "Export the file on the enrolled device.",
        ),
        "enrolment.refused": (
            "Pida un código nuevo a quien administra la organización.",
            "Ask whoever administers the organisation for a new code.",
        ),
        "record.conflict": (
            "Envíe el registro con un identificador nuevo.",
            "Send the record with a new id.",
        ),
        "prediction.unknown": _LOOK,
        "device.unknown": _LOOK,
        "bundle.unknown": (
            "Compruebe versión y huella en /registry/bundles.",
            "Check version and digest in /registry/bundles.",
        ),
        "release.refused": (
            "Pase antes el paquete por pruebas: /rollout/staging.",
            "Put the bundle through staging first: /rollout/staging.",
        ),
        "engine.busy": _WAIT,
        "shared.unreachable": _WAIT,
        "record.unreachable": _WAIT,
        "auth.missing": (
            "Envíe «Authorization: Bearer» con un token, o firme la petición con el equipo.",
            "Send `Authorization: Bearer` with a token, or sign the request with the device.",
        ),
        "auth.token_refused": _TOKEN,
        "auth.refused": _ENROL,
        "auth.unsigned": _SIGN,
        "auth.unknown_device": _ENROL,
        "auth.signature_invalid": _SIGN,
        "auth.clock_skew": (
            "Ponga en hora el equipo; «server_time_s» es la hora del servidor.",
            "Set the clock of the device; `server_time_s` is the server's time.",
        ),
        "auth.replayed": (
            "Firme cada petición con un número nuevo.",
            "Sign each request with a new nonce.",
        ),
    }
)


def advice(code: str, language: str) -> str:
    """Return what to do next in "es" or "en"; a code of no list is the server's own fault."""
    return ADVICE.get(code, ADVICE["internal"])[0 if language == "es" else 1]
