"""What `vereda rank` says, in Spanish and English. Placeholders are named after their params."""

from types import MappingProxyType
from typing import Final

from ddx.domain.identifiers import FindingId
from ddx.intake.issues import CaseIssue
from ddx.phenopackets.issues import PacketIssue
from ddx.terminology.catalogue import Catalogue, Language
from desktop.commands import words
from desktop.commands.case_file import CaseFileError
from desktop.commands.packet_file import UnusablePatientError
from desktop.commands.words import Texts

SAID: Final[Texts] = MappingProxyType(
    {
        "rank": ("N.º", "No."),
        "disease": ("Enfermedad rara", "Rare disease"),
        "codes": ("Código", "Code"),
        "probability": ("Prob.", "Prob."),
        "no": ("no hay", "no"),
        "expected": (
            "Falta preguntar (y porcentaje de pacientes descritos que lo presentan)",
            "Not asked yet (and percentage of described patients with it)",
        ),
        "meaning": (
            "Prob.: que sea esa enfermedad, si el paciente tiene una enfermedad rara. "
            "Que no sea ninguna de las {first} primeras: {none}.",
            "Prob.: that it is this disease, if the patient has a rare disease. "
            "That it is none of the first {first}: {none}.",
        ),
        "frequencies": (
            "Entre paréntesis, los pacientes descritos con la enfermedad que lo presentan; "
            "«afín»: consta algo más general o más concreto.",
            "In brackets, the patients described with the disease who have it; "
            "'related': something more general or more specific is listed.",
        ),
        "not_read": ("No interviene: {finding}.", "Takes no part: {finding}."),
        "removed": (
            "Sin las anotaciones de {sources}; perfiles de enfermedad que cambian: {changed}.",
            "Without the annotations of {sources}; disease profiles that change: {changed}.",
        ),
        "unknown_source": (
            "Ninguna anotación nombra {sources}: nada que quitar.",
            "No annotation names {sources}: nothing to leave out.",
        ),
        "model": ("modelo", "model"),
        "support": (
            "Apoyo a la decisión: quien decide es el clínico.",
            "Decision support: the clinician decides.",
        ),
        "line": ("línea {line}: {said}", "line {line}: {said}"),
        "progress": ("{n} casos…", "{n} cases…"),
        "batch": (
            "{good} casos ordenados, {bad} líneas rechazadas -> {out}",
            "{good} cases ranked, {bad} lines refused -> {out}",
        ),
        "scored": (
            "de {n} con diagnóstico ({unlisted} fuera del índice): primero {top1}, entre los 3 "
            "primeros {top3}, entre los 10 primeros {top10}, rango recíproco medio {mrr}",
            "of {n} with a diagnosis ({unlisted} not in the index): first {top1}, in the first 3 "
            "{top3}, in the first 10 {top10}, mean reciprocal rank {mrr}",
        ),
        "issues": (
            "avisos por código (vereda rank CASO.json los dice con su lugar): {counted}",
            "issues by code (vereda rank CASE.json tells each with its place): {counted}",
        ),
        "cannot_write": (
            "No se puede escribir {path}: {reason}. Elija otra ruta con --out.",
            "Cannot write {path}: {reason}. Choose another path with --out.",
        ),
        "no_model": (
            "El modelo no se puede usar ({code}: {reason}). Reinstale Vereda.",
            "The model cannot be used ({code}: {reason}). Reinstall Vereda.",
        ),
        "what_file": (
            "Indique un archivo: vereda rank CASO.json, o --batch CASOS.jsonl --out tabla.tsv.",
            "Name a file: vereda rank CASE.json, or --batch CASES.jsonl --out table.tsv.",
        ),
        "out_of_one": (
            "--out es la tabla de un lote: use --batch CASOS.jsonl, o redirija lo que se imprime.",
            "--out is the table of a batch: use --batch CASES.jsonl, or redirect what is printed.",
        ),
        "meant": ("Sugerencia: {meant}.", "Suggestion: {meant}."),
        "error": ("No se usó", "Not used"),
        "warning": ("Revise", "Look again"),
    }
)

PROBLEMS: Final[Texts] = MappingProxyType(
    {
        "not_json": (
            "No es JSON ({reason}). Vea un ejemplo con `vereda rank --help`.",
            "Not JSON ({reason}). `vereda rank --help` shows an example.",
        ),
        "not_an_object": (
            "Un caso se escribe entre llaves {{...}}; una lista de casos va con --batch, uno por "
            "línea.",
            "A case is written in braces {{...}}; a list of cases goes with --batch, one a line.",
        ),
        "not_a_phenopacket": (
            "Es JSON, pero no un fenopaquete: falta phenotypicFeatures. Vea un ejemplo con "
            "`vereda rank --help`.",
            "It is JSON, but no phenopacket: phenotypicFeatures is missing. `vereda rank --help` "
            "shows an example.",
        ),
        "family": (
            "Es una familia (Family): guarde el paciente de «proband» en un archivo propio.",
            "It is a Family: save the patient under 'proband' as a file of its own.",
        ),
        "cohort": (
            "Es una cohorte (Cohort): escriba cada paciente de «members» en una línea y use "
            "--batch.",
            "It is a Cohort: write each patient of 'members' on a line of its own and use --batch.",
        ),
        "unusable": (
            "No hay nada que ordenar: hace falta al menos un hallazgo presente con código HPO.",
            "Nothing to rank: at least one present finding with an HPO code is needed.",
        ),
    }
)

ISSUES: Final[Texts] = MappingProxyType(
    {
        "packet.nothing_usable": (
            "ningún hallazgo presente se pudo leer.",
            "no present finding could be read.",
        ),
        "packet.version_1": (
            "{field} es de la versión 1; se leyó igualmente.",
            "{field} belongs to version 1; it was read all the same.",
        ),
        "feature.not_an_object": ("no es un objeto.", "not an object."),
        "feature.no_type": ("falta el código del hallazgo.", "the code of the finding is missing."),
        "feature.malformed_id": (
            "«{id}» no está escrito como un código (HP:0001945).",
            "'{id}' is not written as a code (HP:0001945).",
        ),
        "feature.unknown_id": (
            "{id} no está en la HPO {version}: puede ser un error o más reciente.",
            "{id} is not in HPO {version}: a slip, or newer than it.",
        ),
        "feature.other_vocabulary": (
            "{id} no es de la HPO.",
            "{id} is not from HPO.",
        ),
        "feature.replaced": (
            "{id} ya no se usa; se leyó como {replacement}.",
            "{id} is no longer in use; it was read as {replacement}.",
        ),
        "feature.obsolete": (
            "{id} está retirado de la HPO y no tiene sustituto único.",
            "{id} was withdrawn from HPO and has no single replacement.",
        ),
        "feature.not_a_phenotype": (
            "{id} no es algo que el paciente presente (herencia, inicio o modificador).",
            "{id} is nothing a patient shows (inheritance, onset or modifier).",
        ),
        "feature.repeated": ("{id} está dos veces.", "{id} is stated twice."),
        "feature.contradiction": (
            "{id} está presente y excluido; se toma como presente.",
            "{id} is both observed and excluded; it counts as observed.",
        ),
        "feature.excluded_kind": (
            "se excluye {excluded}, pero {present} es un tipo de lo mismo; la exclusión no "
            "interviene.",
            "{excluded} is excluded, but {present} is a kind of it; the exclusion takes no part.",
        ),
        "feature.excluded_unreadable": (
            "excluded «{text}» no es true ni false.",
            "excluded '{text}' is neither true nor false.",
        ),
        "severity.not_kept": (
            "la intensidad {id} no se guarda (solo leve, moderada y grave).",
            "severity {id} is not kept (only mild, moderate and severe).",
        ),
        "onset.unreadable": (
            "el inicio «{text}» no es una duración ISO 8601.",
            "onset '{text}' is no ISO 8601 duration.",
        ),
        "onset.after_encounter": (
            "el inicio es {days} días posterior a la visita.",
            "the onset is {days} days after the encounter.",
        ),
        "age.missing": ("falta la edad.", "the age is missing."),
        "age.unreadable": (
            "la edad «{text}» no es una duración ISO 8601 (P3Y6M).",
            "age '{text}' is no ISO 8601 duration (P3Y6M).",
        ),
        "age.before_birth": (
            "la visita es anterior al nacimiento; la edad no se usa.",
            "the encounter is before birth; the age is not used.",
        ),
        "age.no_number": (
            "la edad no es un número; no se usa.",
            "the age is no single number; it is not used.",
        ),
        "age.too_high": (
            "la edad {text} supera los {limit_years} años.",
            "age {text} is more than {limit_years} years.",
        ),
        "sex.unreadable": ("sexo «{text}» desconocido.", "sex '{text}' is not known."),
        "sex.other": (
            "el sexo OTHER_SEX se lee como desconocido.",
            "OTHER_SEX is read as unknown.",
        ),
        "hpo.not_stated": (
            "no dice con qué versión de la HPO se codificó (aquí, {ours}).",
            "it does not say which release of HPO it was coded with (here, {ours}).",
        ),
        "hpo.other_version": (
            "codificado con la HPO {theirs}; aquí, {ours}.",
            "coded with HPO {theirs}; here, {ours}.",
        ),
        "disease.unreadable": (
            "el diagnóstico {id} no es un código OMIM, ORPHA ni DECIPHER; no cuenta como acierto.",
            "diagnosis {id} is no OMIM, ORPHA or DECIPHER code; it cannot count as a hit.",
        ),
    }
)


def say(key: str, language: Language, texts: Texts = SAID, /, **params: object) -> str:
    """Return a text with its placeholders filled."""
    return words.say(key, language, texts, **params)


def problem(error: CaseFileError, language: Language) -> list[str]:
    """Return what is wrong with a file or a line, one problem a line."""
    texts = PROBLEMS if error.problem in PROBLEMS else words.PROBLEMS
    said = [say(error.problem, language, texts, **error.params)]
    if isinstance(error, UnusablePatientError):
        said += [f"  - {issue(found, None, language)}" for found in error.issues]
    return said


def issue(found: PacketIssue | CaseIssue, catalogue: Catalogue | None, language: Language) -> str:
    """Return one issue in words: what was done, where it stands, what is wrong, what to write.

    catalogue: names the suggested finding beside its code, when given.
    """
    texts = ISSUES if isinstance(found, PacketIssue) else words.ISSUES
    place = found.place if isinstance(found, PacketIssue) else found.field
    lead = say(found.level.value, language)
    said = f"{lead}: {place}: {say(found.code, language, texts, **found.params)}"
    if not found.suggestion:
        return said
    meant = found.suggestion
    if catalogue is not None and FindingId(meant) in catalogue:
        meant = f"{meant} ({catalogue.label(FindingId(meant), language)})"
    return f"{said} {say('meant', language, meant=meant)}"
