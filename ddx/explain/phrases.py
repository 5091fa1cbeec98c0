"""Words of `ddx.explain.narrate`, Spanish and English, one template per message id."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ddx.terminology.catalogue import Language

Texts = Mapping[Language, str]


def _both(es: str, en: str) -> Texts:
    return MappingProxyType({Language.ES: es, Language.EN: en})


LEADS: Final[Mapping[str, Mapping[int, Texts]]] = MappingProxyType(
    {
        "raises": {
            3: _both("Sube mucho", "Raises it a lot"),
            2: _both("Sube", "Raises it"),
            1: _both("Sube un poco", "Raises it a little"),
        },
        "lowers": {
            3: _both("Baja mucho", "Lowers it a lot"),
            2: _both("Baja", "Lowers it"),
            1: _both("Baja un poco", "Lowers it a little"),
        },
        "balanced": dict.fromkeys((1, 2, 3), _both("Se compensa", "Evens out")),
    }
)
"""How a sentence begins, by direction and strength."""

WHAT: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "present": _both("{finding}", "{finding}"),
        "present_today": _both("{finding} desde hoy", "{finding} since today"),
        "present_one_day": _both("{finding} de 1 día", "{finding} for 1 day"),
        "present_days": _both("{finding} de {days} días", "{finding} for {days} days"),
        "graded": _both("{finding}, {grade} de 10", "{finding}, {grade} out of 10"),
        "excluded": _both("no hay {finding}", "no {finding}"),
        "excluded_told": _both("no refiere: {finding}", "not reported: {finding}"),
        "excluded_and_other": _both(
            "no hay {finding} ni otra respuesta de la misma pregunta",
            "no {finding} nor another answer to the same question",
        ),
        "excluded_and_others": _both(
            "no hay {finding} ni otras {count} respuestas de la misma pregunta",
            "no {finding} nor {count} other answers to the same question",
        ),
        "age": _both("la edad", "age"),
        "age_days": _both("la edad ({age} días)", "age ({age} days)"),
        "age_months": _both("la edad ({age} meses)", "age ({age} months)"),
        "age_years": _both("la edad ({age} años)", "age ({age} years)"),
        "sex": _both("el sexo ({sex})", "sex ({sex})"),
        "other": _both("otro dato", "one more item"),
        "others": _both("otros {count} datos", "{count} more items"),
        "unasked": _both("lo que no se ha preguntado", "what was not asked"),
        "unasked_balanced": _both(
            "lo que no se ha preguntado pesa en ambos sentidos",
            "what was not asked weighs both ways",
        ),
    }
)

RARE: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "rare:together": _both(
            "cómo encajan los hallazgos en su conjunto", "how the findings fit as a whole"
        ),
        "rare:typical": _both(
            "cuánto de lo típico de la enfermedad se ve", "how much of what is typical is seen"
        ),
        "rare:ruled-out": _both(
            "lo descartado en su conjunto", "what was ruled out, taken as a whole"
        ),
        "rare:rivals": _both(
            "qué explican las otras candidatas", "what the other candidates explain"
        ),
        "rare:prevalence": _both("su frecuencia en la población", "how common it is"),
        "rare:described": _both(
            "lo bien descrita que está la enfermedad", "how well described the disease is"
        ),
    }
)
"""What a rare explanation is about beside findings, age and sex (`ddx.explain.rare_learned`)."""

OF_PATIENTS: Final = _both(
    "presente en {percent} % de los pacientes descritos",
    "present in {percent} % of the patients described",
)

SEX: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "female": _both("mujer", "female"),
        "male": _both("hombre", "male"),
        "unknown": _both("sin dato", "not known"),
    }
)

VERB_LED: Final = frozenset({"bebe", "evacúa", "no", "orina", "drinks", "unable", "passing"})
"""First words of labels that are no nouns: "no hay" cannot stand before them."""

WHY_NOT: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "already": _both(
            "{disease} ya está entre los tres primeros ({place}).",
            "{disease} already is among the first three ({place}).",
        ),
        "reached": _both(
            "{disease} subiría ({place}) si se encontrara: {changes}.",
            "{disease} would rise ({place}) if this were found: {changes}.",
        ),
        "not_enough": _both(
            "Ni con esto llegaría {disease} a los tres primeros ({place}): {changes}.",
            "Not even this would bring {disease} to the first three ({place}): {changes}.",
        ),
        "not_enough_at_all": _both(
            "Nada de lo típico que falta preguntar haría subir a {disease} ({place}).",
            "Nothing typical left to ask would raise {disease} ({place}).",
        ),
        "nothing_to_ask": _both(
            "No queda hallazgo típico de {disease} por preguntar ({place}).",
            "No finding typical of {disease} is left to ask ({place}).",
        ),
        "stopped": _both(
            "La búsqueda no terminó; lo mejor hasta ahora para {disease} ({place}): {changes}.",
            "The search did not finish; the best so far for {disease} ({place}): {changes}.",
        ),
        "stopped_at_all": _both(
            "La búsqueda no terminó y aún no halló nada que haga subir a {disease} ({place}).",
            "The search did not finish and found nothing yet that raises {disease} ({place}).",
        ),
        "place": _both("puesto {rank}", "rank {rank}"),
        "off_list": _both("fuera de la lista", "off the list"),
        "change_present": _both("{finding}", "{finding}"),
        "change_excluded": _both("ausencia de {finding}", "absence of {finding}"),
    }
)
