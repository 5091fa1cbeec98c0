"""Domain values in the clinician's words: one table per enum, Spanish first."""

import re
from datetime import date, datetime
from typing import Final

from ddx.domain.case import DAYS_PER_YEAR, Sex
from ddx.domain.differential import Band, World
from ddx.domain.feedback import OverrideReason, Verb
from ddx.domain.finding import Presence, Severity
from ddx.domain.roles import Role
from ddx.intake.draft import AgeUnit
from desktop.presenters.guide import Equipment
from desktop.presenters.likelihood import Frequency
from desktop.presenters.moves import Move
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate

_PRESENCE: Final = {
    Presence.PRESENT: QT_TRANSLATE_NOOP("Words", "Presente"),
    Presence.EXCLUDED: QT_TRANSLATE_NOOP("Words", "Ausente"),
    Presence.UNKNOWN: QT_TRANSLATE_NOOP("Words", "No se sabe"),
}
_SEVERITY: Final = {
    Severity.MILD: QT_TRANSLATE_NOOP("Words", "leve"),
    Severity.MODERATE: QT_TRANSLATE_NOOP("Words", "moderado"),
    Severity.SEVERE: QT_TRANSLATE_NOOP("Words", "grave"),
}
_BAND: Final = {
    Band.VERY_LIKELY: QT_TRANSLATE_NOOP("Words", "Muy probable"),
    Band.LIKELY: QT_TRANSLATE_NOOP("Words", "Probable"),
    Band.POSSIBLE: QT_TRANSLATE_NOOP("Words", "Posible"),
    Band.UNLIKELY: QT_TRANSLATE_NOOP("Words", "Poco probable"),
}
_WORLD: Final = {
    World.COMMON: QT_TRANSLATE_NOOP("Words", "Frecuente"),
    World.RARE: QT_TRANSLATE_NOOP("Words", "Rara"),
}
_SEX: Final = {
    Sex.FEMALE: QT_TRANSLATE_NOOP("Words", "Mujer"),
    Sex.MALE: QT_TRANSLATE_NOOP("Words", "Hombre"),
    Sex.UNKNOWN: QT_TRANSLATE_NOOP("Words", "Sin dato"),
}
_AGE_UNIT: Final = {
    AgeUnit.YEARS: QT_TRANSLATE_NOOP("Words", "años"),
    AgeUnit.MONTHS: QT_TRANSLATE_NOOP("Words", "meses"),
    AgeUnit.DAYS: QT_TRANSLATE_NOOP("Words", "días"),
}
_VERB: Final = {
    Verb.AGREE: QT_TRANSLATE_NOOP("Words", "De acuerdo"),
    Verb.REFUSE: QT_TRANSLATE_NOOP("Words", "Rechazar"),
    Verb.ADD: QT_TRANSLATE_NOOP("Words", "Añadir otro"),
    Verb.CUSTOM: QT_TRANSLATE_NOOP("Words", "Otro en su lugar"),
}
_REASON: Final = {
    OverrideReason.NOT_MY_JUDGEMENT: QT_TRANSLATE_NOOP("Words", "No coincide con mi juicio"),
    OverrideReason.MISUNDERSTOOD: QT_TRANSLATE_NOOP(
        "Words", "Un término o criterio se entendió mal"
    ),
    OverrideReason.CANNOT_REFER: QT_TRANSLATE_NOOP("Words", "No se puede derivar"),
    OverrideReason.OTHER: QT_TRANSLATE_NOOP("Words", "Otro motivo"),
}
_ROLE: Final = {
    Role.MEDICO_GENERAL: QT_TRANSLATE_NOOP("Words", "Médico general"),
    Role.MEDICO_ADMIN: QT_TRANSLATE_NOOP("Words", "Médico responsable"),
    Role.DATA_SCIENTIST: QT_TRANSLATE_NOOP("Words", "Ciencia de datos"),
    Role.MLOPS_ENGINEER: QT_TRANSLATE_NOOP("Words", "Operación de modelos"),
    Role.AUDITOR: QT_TRANSLATE_NOOP("Words", "Auditoría"),
}
_MEANS: Final = {
    "examination": QT_TRANSLATE_NOOP("Words", "explorar"),
    "thermometer": QT_TRANSLATE_NOOP("Words", "termómetro"),
    "oximeter": QT_TRANSLATE_NOOP("Words", "oxímetro"),
    "blood_pressure_cuff": QT_TRANSLATE_NOOP("Words", "tensiómetro"),
    "glucometer": QT_TRANSLATE_NOOP("Words", "glucómetro"),
    "stethoscope": QT_TRANSLATE_NOOP("Words", "estetoscopio"),
    "urine_strip": QT_TRANSLATE_NOOP("Words", "tira de orina"),
    "electrocardiograph": QT_TRANSLATE_NOOP("Words", "electrocardiograma"),
    "laboratory": QT_TRANSLATE_NOOP("Words", "laboratorio"),
    "imaging": QT_TRANSLATE_NOOP("Words", "imagen"),
}
_STOP: Final = {
    "nothing_left": QT_TRANSLATE_NOOP(
        "Words", "Deje de preguntar: no queda nada que aquí se pueda averiguar."
    ),
    "little_to_gain": QT_TRANSLATE_NOOP(
        "Words", "Deje de preguntar: ninguna respuesta cambiaría la lista de forma apreciable."
    ),
    "settled": QT_TRANSLATE_NOOP(
        "Words", "Deje de preguntar: la lista está clara y ninguna respuesta la cambiaría."
    ),
}
_EQUIPMENT: Final = {
    Equipment.WORDS: QT_TRANSLATE_NOOP("Words", "Solo preguntar y explorar"),
    Equipment.RURAL: QT_TRANSLATE_NOOP("Words", "Puesto rural"),
    Equipment.FULL: QT_TRANSLATE_NOOP("Words", "También laboratorio, imagen y ECG"),
}


def number(value: float) -> str:
    """Return a measured value as it is written in the language of the window: 38,5."""
    return f"{value:g}".replace(".", translate("Words", ","))


def quantity(value: float, unit: str) -> str:
    """Return a measured value and its unit, kept on one line."""
    return f"{number(value)}\u00a0{unit}"


def weight(value: float) -> str:
    """Return a signed weight with three decimals, with a minus as wide as the plus."""
    return f"{value:+.3f}".replace("-", "−").replace(".", translate("Words", ","))


def presence(value: Presence) -> str:
    """Return a finding's state as a word."""
    return translate("Words", _PRESENCE[value])


def severity(value: Severity) -> str:
    """Return how strong a finding is."""
    return translate("Words", _SEVERITY[value])


def since(days: int) -> str:
    """Return how long ago a finding began, in the unit people say it in."""
    if days == 0:
        return translate("Words", "desde hoy")
    if days == 1:
        return translate("Words", "desde ayer")
    if days < 60:
        return translate("Words", "hace {n} días").format(n=days)
    if days < 2 * DAYS_PER_YEAR:
        return translate("Words", "hace {n} meses").format(n=days // 30)
    return translate("Words", "hace {n} años").format(n=int(days / DAYS_PER_YEAR))


def band(value: Band) -> str:
    """Return a probability band as a word."""
    return translate("Words", _BAND[value])


def move(value: Move, *, spoken: bool = False) -> str:
    """Return how a candidate moved since the list before; arrows are for the eye only."""
    if value.steps is None:
        return translate("Words", "nueva en la lista")
    if value.steps == 0:
        said = ""
    elif spoken:
        up = translate("Words", "sube {n}")
        down = translate("Words", "baja {n}")
        said = (up if value.steps > 0 else down).format(n=abs(value.steps))
    else:
        said = f"{'▲' if value.steps > 0 else '▼'}{abs(value.steps)}"
    if value.band is None:
        return said
    was = translate("Words", "antes: {band}").format(band=band(value.band).lower())
    return f"{said}, {was}" if said else was


def world(value: World) -> str:
    """Return the common / rare badge."""
    return translate("Words", _WORLD[value])


def sex(value: Sex) -> str:
    """Return a sex as a word."""
    return translate("Words", _SEX[value])


def age_unit(value: AgeUnit) -> str:
    """Return a unit of age."""
    return translate("Words", _AGE_UNIT[value])


def verb(value: Verb) -> str:
    """Return a decision verb."""
    return translate("Words", _VERB[value])


def reason(value: OverrideReason) -> str:
    """Return a coded reason as a sentence."""
    return translate("Words", _REASON[value])


def role(value: Role) -> str:
    """Return a role as a title."""
    return translate("Words", _ROLE[value])


def frequency(value: Frequency) -> str:
    """Return a natural frequency: "unos 9 de cada 10"."""
    template = {
        -1: translate("Words", "menos de {count} de cada {of}"),
        0: translate("Words", "{count} de cada {of}"),
        1: translate("Words", "más de {count} de cada {of}"),
    }[value.bound]
    return template.format(count=value.count, of=value.of)


def age_on(birth_date: date, day: date) -> str:
    """Return the age on `day` in the unit clinicians use at that age: days, months or years."""
    days = (day - birth_date).days
    if days < 60:
        return translate("Words", "{n} días").format(n=max(0, days))
    if days < 2 * DAYS_PER_YEAR:
        return translate("Words", "{n} meses").format(n=int(days / (DAYS_PER_YEAR / 12)))
    return translate("Words", "{n} años").format(n=int(days / DAYS_PER_YEAR))


def day(value: date) -> str:
    """Return a date as day/month/year, the order of every Spanish-speaking country."""
    return value.strftime("%d/%m/%Y")


def moment(value: datetime) -> str:
    """Return a UTC instant in local time, to the minute."""
    return value.astimezone().strftime("%d/%m/%Y %H:%M")


def means(value: str) -> str:
    """Return what a finding is looked for with; empty for a plain question."""
    return translate("Words", _MEANS[value]) if value in _MEANS else ""


def stop(value: str) -> str:
    """Return why to stop asking."""
    return translate("Words", _STOP[value])


def equipment(value: Equipment) -> str:
    """Return what a clinic has."""
    return translate("Words", _EQUIPMENT[value])


def unbroken(text: str) -> str:
    """Return `text` with every percentage kept on one line."""
    return re.sub(r"(?<=\d) (?=%)", "\u00a0", text)


def whole(code: str) -> str:
    """Return a code that no line breaks at its hyphens; to be read, not to be copied."""
    return code.replace("-", "\u2011")
