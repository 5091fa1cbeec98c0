"""What the terminal says, in Spanish and English. Placeholders are named after their params."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ddx.domain.differential import Alert, Band, Fit, World
from ddx.domain.identifiers import FindingId
from ddx.errors import UnknownFindingError
from ddx.inquiry.effort import Means
from ddx.inquiry.stop import StopReason
from ddx.intake.issues import CaseIssue
from ddx.safety.messages import ALL_MESSAGES
from ddx.terminology.catalogue import Catalogue, Language

Texts = Mapping[str, tuple[str, str]]
"""Key -> (Spanish, English)."""

NOTHING_CHANGED: Final[Texts] = {
    "passphrase": ("Frase de paso de {name}: ", "Passphrase of {name}: "),
    "sign_in_refused": (
        "La frase de paso no es correcta, o hay que esperar {wait} s. Nada ha cambiado.",
        "The passphrase is not right, or {wait} s must pass. Nothing changed.",
    ),
    "failed": ("Nada ha cambiado ({code}).", "Nothing changed ({code})."),
}
"""What signing in says for a command that changes something; the command adds "who"."""

SAID: Final[Texts] = MappingProxyType(
    {
        "rank": ("N.º", "No."),
        "disease": ("Enfermedad", "Disease"),
        "likelihood": ("Probabilidad", "Likelihood"),
        "severity": ("Gravedad", "Severity"),
        "source": ("Modelo", "Model"),
        "outside": (
            "Rara, y ninguna de las conocidas encaja",
            "Rare, and none of those known fits",
        ),
        "red_flags": ("NO PASAR POR ALTO", "DO NOT MISS"),
        "no_red_flags": (
            "Ninguna señal de alarma con lo anotado.",
            "No red flag in what was entered.",
        ),
        "urgent": ("URGENTE", "URGENT"),
        "ask_next": ("SIGUIENTE PREGUNTA", "NEXT QUESTION"),
        "bits": ("información esperada {bits} bits", "expected information {bits} bits"),
        "triage": ("TRIAJE, nivel {level} de 5", "TRIAGE, level {level} of 5"),
        "played": (
            "ENTREVISTA: empieza por {opening}; preguntas: {n}",
            "INTERVIEW: opens with {opening}; questions: {n}",
        ),
        "no": ("no", "no"),
        "not_in_record": ("(el caso no lo dice)", "(the case does not say)"),
        "why": ("POR QUÉ {disease}", "WHY {disease}"),
        "first_actions": ("PRIMERAS MEDIDAS SI SE SOSPECHA", "FIRST ACTIONS WHEN SUSPECTED"),
        "not_excluded": ("no se puede descartar", "cannot be set aside"),
        "no_such_disease": (
            "Ningún modelo conoce {disease}. Tome el código de la columna disease de un lote.",
            "No model knows {disease}. Take the code from the disease column of a batch.",
        ),
        "excluded_alone": (
            "--excluded va con --evidence-budget: indique también cuántos presentes quedan.",
            "--excluded goes with --evidence-budget: say how many present findings are kept too.",
        ),
        "rate": (
            "{seconds} s, {rate} casos por segundo",
            "{seconds} s, {rate} cases per second",
        ),
        "asked_on_average": ("preguntas por caso: {mean}", "questions per case: {mean}"),
        "unused": ("Ningún modelo lee", "No model reads"),
        "look_again": ("Revise", "Look again"),
        "model": ("modelo", "model"),
        "support": (
            "Apoyo a la decisión: quien decide es el clínico.",
            "Decision support: the clinician decides.",
        ),
        "refused": ("El caso no se puede usar:", "The case cannot be used:"),
        "line": ("línea {line}: {said}", "line {line}: {said}"),
        "meant": ("¿Quiso decir {meant}?", "Did you mean {meant}?"),
        "batch": (
            "{good} casos calculados, {bad} rechazados -> {out}",
            "{good} cases scored, {bad} refused -> {out}",
        ),
        "scored": (
            "de {n} con diagnóstico: primero {top1}, entre los 3 primeros {top3}, "
            "entre los 10 primeros {top10}",
            "of {n} with a diagnosis: first {top1}, in the first 3 {top3}, in the first 10 {top10}",
        ),
        "cannot_write": (
            "No se puede escribir {path}: {reason}. Elija otra ruta con --out.",
            "Cannot write {path}: {reason}. Choose another path with --out.",
        ),
        "no_model": (
            "El modelo no se puede usar ({code}). Reinstale Vereda.",
            "The model cannot be used ({code}). Reinstall Vereda.",
        ),
        "what_file": (
            "Indique un archivo: vereda diagnose CASO.json, o --batch CASOS.jsonl --out tabla.tsv.",
            "Name a file: vereda diagnose CASE.json, or --batch CASES.jsonl --out table.tsv.",
        ),
    }
)

STOPS: Final[Texts] = MappingProxyType(
    {
        StopReason.NOTHING_LEFT: (
            "DEJE DE PREGUNTAR: no queda nada por preguntar que aquí se pueda averiguar.",
            "STOP ASKING: nothing is left to ask that can be found out here.",
        ),
        StopReason.LITTLE_TO_GAIN: (
            "DEJE DE PREGUNTAR: nada más que preguntar cambiaría la lista de forma apreciable.",
            "STOP ASKING: nothing more to ask would change the list noticeably.",
        ),
        StopReason.SETTLED: (
            "DEJE DE PREGUNTAR: la lista está clara y ninguna respuesta la cambiaría.",
            "STOP ASKING: the list is settled and no answer would change it.",
        ),
    }
)

PROBLEMS: Final[Texts] = MappingProxyType(
    {
        "missing": (
            "No existe el archivo {path}. Revise la ruta.",
            "There is no file {path}. Check the path.",
        ),
        "unreadable": (
            "No se puede leer {path}: {reason}.",
            "Cannot read {path}: {reason}.",
        ),
        "not_json": (
            "No es JSON ({reason}). Vea un ejemplo con `vereda diagnose --help`.",
            "Not JSON ({reason}). `vereda diagnose --help` shows an example.",
        ),
        "not_an_object": (
            "Un caso se escribe entre llaves: {{...}}.",
            "A case is written in braces: {{...}}.",
        ),
        "bad_truth": (
            "«{value}» no es un código de enfermedad (VD:…, OMIM:…, ORPHA:…).",
            "'{value}' is not a disease code (VD:…, OMIM:…, ORPHA:…).",
        ),
        "bad_opening": (
            "opening «{value}» no es un hallazgo presente del caso; quítelo o corríjalo.",
            "opening '{value}' is no present finding of the case; remove or correct it.",
        ),
        "two_ages": (
            "La edad está dos veces; deje una de age_years, age_months, age_days.",
            "The age is given twice; keep one of age_years, age_months, age_days.",
        ),
        "bad_finding": (
            'Hallazgo {value}: escriba {{"id": "HP:0001945", "presence": "present"}}.',
            'Finding {value}: write {{"id": "HP:0001945", "presence": "present"}}.',
        ),
        "bad_choice": (
            "{name}: «{value}» no vale; use uno de {allowed}.",
            "{name}: '{value}' is not allowed; use one of {allowed}.",
        ),
        "not_a_number": (
            "{name}: «{value}» no es un número.",
            "{name}: '{value}' is not a number.",
        ),
        "bad_shape": (
            "{name} se escribe como {shape}.",
            "{name} is written as {shape}.",
        ),
    }
)

ISSUES: Final[Texts] = MappingProxyType(
    {
        "age.missing": (
            "Falta la edad: la lista será menos fiable.",
            "The age is missing: the list is less reliable.",
        ),
        "age.not_a_number": (
            "Edad «{text}»: escriba solo el número.",
            "Age '{text}': write just the number.",
        ),
        "age.negative": (
            "Edad {text}: no puede ser negativa.",
            "Age {text}: it cannot be negative.",
        ),
        "age.too_high": (
            "Edad {text}: supera los {limit_years} años.",
            "Age {text}: more than {limit_years} years.",
        ),
        "finding.unknown_code": (
            "«{finding}» no está en el vocabulario.",
            "'{finding}' is not in the vocabulary.",
        ),
        "finding.repeated": (
            "{finding}: está anotado dos veces.",
            "{finding}: entered twice.",
        ),
        "finding.contradiction": (
            "{finding}: está como presente y como ausente; deje uno.",
            "{finding}: both present and excluded; keep one.",
        ),
        "finding.excluded_kind": (
            "{excluded} está como ausente, pero {present} es un tipo de lo mismo.",
            "{excluded} is excluded, but {present} is a kind of it.",
        ),
        "finding.excluded_implied": (
            "{present} implica {excluded}, que está como ausente.",
            "{present} implies {excluded}, which is excluded.",
        ),
        "finding.grade_out_of_range": (
            "{finding}: la intensidad {grade} no está entre 0 y 10.",
            "{finding}: intensity {grade} is not within 0 and 10.",
        ),
        "finding.grade_not_expected": (
            "{finding}: no lleva intensidad.",
            "{finding}: takes no intensity.",
        ),
        "finding.grade_missing": (
            "{finding}: falta la intensidad de 0 a 10.",
            "{finding}: the intensity from 0 to 10 is missing.",
        ),
        "finding.onset_negative": (
            "{finding}: el inicio no puede estar en el futuro.",
            "{finding}: the onset cannot be in the future.",
        ),
        "finding.onset_before_birth": (
            "{finding}: el inicio es anterior al nacimiento.",
            "{finding}: the onset is before birth.",
        ),
        "findings.none": (
            "No hay ningún hallazgo; anote al menos uno.",
            "There is no finding; enter at least one.",
        ),
        "findings.none_present": (
            "Solo hay hallazgos ausentes.",
            "There are only excluded findings.",
        ),
        "vital.unknown": (
            "«{vital}» no es un signo vital conocido.",
            "'{vital}' is not a known vital sign.",
        ),
        "vital.not_a_number": (
            "{vital} «{text}»: no es un número.",
            "{vital} '{text}': not a number.",
        ),
        "vital.not_yes_or_no": (
            "{vital}: responda true o false.",
            "{vital}: answer true or false.",
        ),
        "vital.out_of_range": (
            "{vital} {value}: no es posible (de {low} a {high}).",
            "{vital} {value}: not possible ({low} to {high}).",
        ),
        "vital.unusual_for_age": (
            "{vital} {value}: poco habitual a esta edad; confírmelo.",
            "{vital} {value}: unusual at this age; confirm it.",
        ),
        "vital.diastolic_not_below_systolic": (
            "La tensión diastólica ({diastolic}) no es menor que la sistólica ({systolic}).",
            "The diastolic pressure ({diastolic}) is not below the systolic ({systolic}).",
        ),
    }
)

BANDS: Final[Texts] = MappingProxyType(
    {
        Band.VERY_LIKELY: ("muy probable", "very likely"),
        Band.LIKELY: ("probable", "likely"),
        Band.POSSIBLE: ("posible", "possible"),
        Band.UNLIKELY: ("poco probable", "unlikely"),
    }
)
FITS: Final[Texts] = MappingProxyType(
    {
        Fit.EXPLAINED: (
            "Alguna enfermedad común de la lista explica los hallazgos como en los casos "
            "conocidos.",
            "Some common disease explains the findings as well as in known cases.",
        ),
        Fit.UNEXPLAINED: (
            "ATENCIÓN: ninguna enfermedad común conocida explica bien estos hallazgos juntos. "
            "Puede ser una rara, dos a la vez o una que el modelo no conoce: desconfíe del orden.",
            "CAUTION: no common disease known here explains these findings together. It may be "
            "a rare one, two at once, or one the model does not know: do not trust the order.",
        ),
        Fit.NOT_ASSESSED: (
            "No se puede decir si alguna enfermedad común explica juntos los hallazgos: hacen "
            "falta al menos tres presentes que el modelo de las comunes lea, y modelos que lo "
            "midan. El orden de la lista no depende de ello.",
            "Whether a common disease explains the findings together cannot be said: that takes at "
            "least three present findings the model of common ones reads, and models that measure "
            "it. The order of the list does not depend on it.",
        ),
    }
)
WORLDS: Final[Texts] = MappingProxyType(
    {World.COMMON: ("común", "common"), World.RARE: ("rara", "rare")}
)
MEANS: Final[Texts] = MappingProxyType(
    {
        Means.QUESTION: ("preguntar", "ask"),
        Means.EXAMINATION: ("explorar", "examine"),
        Means.THERMOMETER: ("termómetro", "thermometer"),
        Means.OXIMETER: ("oxímetro", "oximeter"),
        Means.BLOOD_PRESSURE_CUFF: ("tensiómetro", "blood pressure cuff"),
        Means.GLUCOMETER: ("glucómetro", "glucometer"),
        Means.STETHOSCOPE: ("estetoscopio", "stethoscope"),
        Means.URINE_STRIP: ("tira de orina", "urine strip"),
        Means.ELECTROCARDIOGRAPH: ("electrocardiograma", "electrocardiogram"),
        Means.LABORATORY: ("laboratorio", "laboratory"),
        Means.IMAGING: ("imagen", "imaging"),
    }
)


def say(key: str, language: Language, texts: Texts = SAID, /, **params: object) -> str:
    """Return a text with its placeholders filled; the key itself where there is none."""
    spanish, english = texts.get(key, (key, key))
    return (spanish if language is Language.ES else english).format(**params)


def issue(found: CaseIssue, catalogue: Catalogue, language: Language) -> str:
    """Return one issue of a case in words, with what was likely meant."""
    params = {name: _named(value, catalogue, language) for name, value in found.params.items()}
    said = say(found.code, language, ISSUES, **params)
    if not found.suggestion:
        return said
    return f"{said} {say('meant', language, meant=_named(found.suggestion, catalogue, language))}"


def alert(raised: Alert, language: Language) -> str:
    """Return a red flag in words; one without words is still shown, by its code."""
    said = ALL_MESSAGES.get(raised.code)
    return raised.code if said is None else said[language]


def _named(value: str, catalogue: Catalogue, language: Language) -> str:
    """Return a finding id with its label; any other value as it is."""
    try:
        return f"{catalogue.label(FindingId(value), language)} ({value})"
    except UnknownFindingError:
        return value
