"""Spanish words without their inflection, and families of words a patient uses for one thing.

`stem` is a light stemmer: plural, diminutive, then one ending of verb, participle or noun, then
the vowel that breaks under stress (duele/doler, aprieta/apretar). "dolores", "duele" and "dolor"
end as one stem; so do "sangra", "sangrado" and "sangrante". It errs to the short side, so a match
by stem counts less than the word itself.

A family holds words that stand for each other wherever they occur, whatever the finding: one
organ (panza, barriga, guata), one act (orina, mea), one quality (chueco, torcido). Words that
mean different things in different findings stay out: those belong to the tables of findings.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ddx.terminology.normalise import sound

_DIMINUTIVES: Final = ("ito", "ita", "illo", "illa")

_ENDINGS_ES: Final = """
    amiento imiento adura edura idura aciones iciones acion icion azon cion sion mente
    iendo ando iente ante ente ador edor idor adora edora idora
    aron ieron aban aba ian ia arse erse irse arle erle irle
    ado ada ido ida ar er ir an en or oso osa ico ica il icula
    iento ienta al on ona a e o io
"""
_ENDINGS: Final = frozenset(_ENDINGS_ES.split())
_LONGEST_ENDING: Final = max(map(len, _ENDINGS))
_SHORTEST_STEM: Final = 3
_SHORTEST_INFLECTED: Final = 5  # of four letters only the plural goes: casa is not caso

_FAMILIES: Final = """
    abdomen vientre panza barriga guata estomago timba
    abultado saltado salton salido brotado prominente
    adormecido dormido entumido entumecido
    agua aguado liquido acuoso
    alcohol trago licor cerveza aguardiente borracho ebrio
    amarillo icterico ictericia
    apestoso fetido hediondo pestilente maloliente
    ardor arde quema quemazon escozor
    articulacion coyuntura articular
    azucar glucosa glicemia glucemia
    azul morado cianosis cianotico
    bajo disminuido reducido poco escaso
    boca oral bucal
    cabello pelo cabellera
    cabeza craneo
    cansado cansancio fatiga agotado rendido
    cara rostro facial
    cerrado atresia imperforado tapado obstruido
    chico chiquito pequeno corto diminuto
    chueco torcido desviado doblado curvo curvado
    columna espinazo espalda dorso
    comezon picazon prurito rasca rasquina
    convulsion ataque crisis
    corazon cardiaco cardiaca
    crecer crecido crecimiento
    cuello nuca pescuezo
    culebra serpiente vibora ofidio
    debil debilidad flojera
    deposicion evacuacion heces popo caca excremento evacua defeca obra
    desmayo desmaya sincope desvanece
    dolor duele doloroso adolorido punzada molestia
    demora tarda tardio retraso atraso retardo
    embarazo embarazada prenada gestante gestacion encinta gravida
    encia gingival
    fiebre calentura temperatura febril afiebrado
    flaco delgado enflaquecido
    flema esputo gargajo expectoracion
    flojo aguado suelto laxo
    grande aumentado crecido agrandado
    hinchado hinchazon inflamado inflamacion edema tumefacto
    hueso oseo osea
    hundido sumido
    latido palpitacion pulso
    llaga ulcera herida
    malaria paludismo malarico paludico
    mamar lactar teta
    mancha pinta macula
    mordedura mordida mordio picadura pico mordisco
    movimiento mueve
    moco mucosidad secrecion
    muela diente dental
    nariz nasal narices
    negro oscuro prieto
    nene bebe nino guagua lactante chamaco
    ojo ocular vista
    operado operacion cirugia
    orina orinar pipi mear miccion meados
    oreja oido auricular
    oye oir sordo audicion
    pantorrilla batata gemelo
    parto parida puerpera puerperio aliviarse
    pecho torax toracico
    piel cutaneo cuero
    positivo reactivo salio
    presion tension
    prueba test examen antigeno
    pulmon pulmonar
    quijada mandibula
    quiste poliquistico quistico
    rapido acelerado acelera
    rata raton roedor
    rinon renal
    rigido tieso duro rigidez
    ronco ronca ronquido
    roncha grano sarpullido erupcion brote salpullido
    sangre sangrado sangra hemorragia
    respira respiracion resuello aire aliento
    seco reseco
    sed sediento
    temblor tiembla
    tos tose tosiendo
    traga tragar pasar deglutir
    utero matriz
    vaginal vagina partes
    vomito vomita devuelve
    amplio ancho
    junto pegado unido fusionado
    aborto perdida malparto
    pain hurts ache
    swelling swollen
"""

FAMILY_WEIGHT: Final = 0.86
STEM_WEIGHT: Final = 0.92
"""How much a match counts, 0..1: engineering weights, held by the query lists of the tests."""


def stem(word: str) -> str:
    """Return a folded word without its inflection; a short word loses only its plural."""
    word = _singular(word)
    if word.endswith(_DIMINUTIVES) and len(word) >= _SHORTEST_INFLECTED:
        word = _hard(word[:-4] if word[-3] == "l" else word[:-3]) + word[-1]
    if len(word) < _SHORTEST_INFLECTED:
        return word
    for length in range(min(_LONGEST_ENDING, len(word) - _SHORTEST_STEM), 0, -1):
        if word[-length:] in _ENDINGS:
            word = _hard(word[:-length])
            break
    return word[:1] + word[1:].replace("ie", "e").replace("ue", "o")


def root(word: str) -> str:
    """Return the stem of a folded word as it sounds: what two forms of one word share."""
    return sound(stem(word))


def _singular(word: str) -> str:
    if len(word) >= 6 and word.endswith("es") and word[-3] in "dlnrzj":
        return word[:-2]
    return word[:-1] if len(word) >= 4 and word.endswith("s") else word


def _hard(stump: str) -> str:
    """Return a stump with the letter it has before a, o: poqu(ito) is poc(o)."""
    if stump.endswith("qu"):
        return stump[:-2] + "c"
    return stump[:-1] if stump.endswith("gu") else stump


def _families() -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _FAMILIES.strip().splitlines():
        roots = frozenset(map(root, line.split()))
        for one in roots:
            found[one] = found.get(one, frozenset()) | roots
    return MappingProxyType(found)


FAMILIES: Final = _families()
"""Roots that stand for each other, by each of them."""
