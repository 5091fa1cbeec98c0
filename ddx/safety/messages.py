"""What each alert says, in short: one sentence to act on, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ddx.terminology.catalogue import Language


def _both(es: str, en: str) -> Mapping[Language, str]:
    return MappingProxyType({Language.ES: es, Language.EN: en})


MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        "news2.emergency": _both(
            "NEWS2 de 7 o más: emergencia; vigile de forma continua y prepare el traslado.",
            "NEWS2 of 7 or more: emergency; monitor continuously and prepare transfer.",
        ),
        "news2.urgent": _both(
            "NEWS2 de 5 o 6: valoración urgente; repita signos vitales cada hora.",
            "NEWS2 of 5 or 6: urgent assessment; repeat vital signs every hour.",
        ),
        "news2.single_red": _both(
            "Un signo vital muy alterado (3 puntos de NEWS2): revíselo sin demora.",
            "One vital sign far from normal (3 NEWS2 points): review without delay.",
        ),
        "airway.stridor": _both(
            "Estridor: la vía aérea puede cerrarse. No explore la garganta; refiera de urgencia.",
            "Stridor: the airway may close. Do not examine the throat; refer urgently.",
        ),
        "consciousness.not_alert": _both(
            "No está alerta: proteja la vía aérea, mida la glucosa y busque la causa ya.",
            "Not alert: protect the airway, check glucose and look for the cause now.",
        ),
        "oxygen.below_90": _both(
            "Saturación menor de 90 %: dé oxígeno y revise la vía aérea.",
            "Saturation below 90 %: give oxygen and check the airway.",
        ),
        "child.low_blood_pressure": _both(
            "Presión baja para la edad: trate como choque.",
            "Low blood pressure for age: treat as shock.",
        ),
        "child.convulsion": _both(
            "Convulsión en menor de 5 años: signo general de peligro; refiera de urgencia.",
            "Convulsion under 5 years: general danger sign; refer urgently.",
        ),
        "child.lethargic_or_unconscious": _both(
            "Niño letárgico o inconsciente: signo general de peligro; refiera de urgencia.",
            "Lethargic or unconscious child: general danger sign; refer urgently.",
        ),
        "child.fast_breathing": _both(
            "Tos o dificultad para respirar con respiración rápida: piense en neumonía.",
            "Cough or difficult breathing with fast breathing: think of pneumonia.",
        ),
        "infant.fast_breathing": _both(
            "Respiración rápida en menor de 2 meses: posible enfermedad grave; refiera.",
            "Fast breathing under 2 months: possible serious disease; refer.",
        ),
        "infant.cold": _both(
            "Temperatura menor de 35.5 °C en menor de 2 meses: posible infección grave; refiera.",
            "Temperature below 35.5 °C under 2 months: possible serious infection; refer.",
        ),
        "infant.fever": _both(
            "Fiebre en menor de 3 meses: riesgo alto de infección grave; refiera.",
            "Fever under 3 months: high risk of serious infection; refer.",
        ),
        "sepsis.qsofa": _both(
            "Fiebre con qSOFA de 2 o más: piense en sepsis y actúe en la primera hora.",
            "Fever with qSOFA of 2 or more: think of sepsis and act within the hour.",
        ),
        "meningitis.stiff_neck_and_fever": _both(
            "Fiebre y rigidez de nuca: posible meningitis; no retrase antibiótico ni traslado.",
            "Fever and stiff neck: possible meningitis; do not delay antibiotic or transfer.",
        ),
        "meningitis.purpura_and_fever": _both(
            "Fiebre con petequias o púrpura: posible meningococemia u otra sepsis; refiera ya.",
            "Fever with petechiae or purpura: possible meningococcal disease or sepsis; refer now.",
        ),
        "dengue.bleeding_with_fever": _both(
            "Fiebre con sangrado: signo de alarma de dengue donde lo hay; vigile y refiera.",
            "Fever with bleeding: dengue warning sign where it circulates; watch and refer.",
        ),
        "heat_stroke": _both(
            "Más de 40 °C con alteración mental: posible golpe de calor; enfríe ya.",
            "Above 40 °C with altered mental state: possible heat stroke; cool now.",
        ),
        "hypothermia": _both(
            "Temperatura menor de 35 °C: hipotermia; recaliente y busque infección.",
            "Temperature below 35 °C: hypothermia; rewarm and look for infection.",
        ),
        "glucose.below_54": _both(
            "Glucosa menor de 54 mg/dL: dé azúcar o glucosa ahora.",
            "Glucose below 54 mg/dL: give sugar or glucose now.",
        ),
        "glucose.above_600": _both(
            "Glucosa mayor de 600 mg/dL: posible estado hiperosmolar; refiera de urgencia.",
            "Glucose above 600 mg/dL: possible hyperosmolar state; refer urgently.",
        ),
        "chest_pain.adult": _both(
            "Dolor de pecho en adulto: si es agudo, electrocardiograma en 10 minutos.",
            "Chest pain in an adult: if acute, electrocardiogram within 10 minutes.",
        ),
        "chest_pain.with_warning_sign": _both(
            "Dolor de pecho con sudor, disnea o desmayo: descarte infarto ya.",
            "Chest pain with sweating, dyspnea or fainting: rule out infarction now.",
        ),
        "headache.thunderclap": _both(
            "Dolor de cabeza en trueno: descarte hemorragia subaracnoidea.",
            "Thunderclap headache: rule out subarachnoid haemorrhage.",
        ),
        "stroke.face_arm_speech": _both(
            "Cara, brazo o habla afectados: si empezó de repente, active el código de ictus.",
            "Face, arm or speech affected: if sudden, treat as stroke.",
        ),
        "anaphylaxis.after_allergen": _both(
            "Reacción tras un alérgeno: posible anafilaxia; adrenalina intramuscular.",
            "Reaction after an allergen: possible anaphylaxis; intramuscular adrenaline.",
        ),
        "bleeding.upper_digestive": _both(
            "Sangrado digestivo con presión baja o desmayo: no es para manejo ambulatorio.",
            "Digestive bleeding with low pressure or fainting: not for outpatient care.",
        ),
        "hypertension.severe": _both(
            "Presión mayor de 180/120: busque daño de órganos; si lo hay, es emergencia.",
            "Pressure above 180/120: look for organ damage; if present, it is an emergency.",
        ),
        "pregnancy.severe_hypertension": _both(
            "Embarazo con presión de 160/110 o más: trate y refiera de urgencia.",
            "Pregnancy with pressure of 160/110 or more: treat and refer urgently.",
        ),
        "pregnancy.convulsion": _both(
            "Convulsión en el embarazo: trate como eclampsia.",
            "Convulsion in pregnancy: treat as eclampsia.",
        ),
        "pregnancy.bleeding": _both(
            "Sangrado vaginal en el embarazo: refiera de urgencia.",
            "Vaginal bleeding in pregnancy: refer urgently.",
        ),
        "self_harm": _both(
            "Ideas o actos suicidas: no deje sola a la persona; pida ayuda.",
            "Suicidal thoughts or acts: do not leave the person alone; get help.",
        ),
    }
)
