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

FURTHER_MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        "emergency.breathing": _both(
            "Dificultad respiratoria grave o cianosis central: vía aérea y oxígeno ahora.",
            "Respiratory distress or central cyanosis: airway and oxygen now.",
        ),
        "emergency.shock": _both(
            "Choque: acceso venoso, líquidos según la causa y traslado ya.",
            "Shock: venous access, fluids according to the cause, and transfer now.",
        ),
        "emergency.coma": _both(
            "Coma: proteja la vía aérea, mida la glucosa y traslade ya.",
            "Coma: protect the airway, check glucose and transfer now.",
        ),
        "emergency.heart_rate": _both(
            "Pulso menor de 50 o mayor de 150: valore de inmediato; electrocardiograma.",
            "Pulse below 50 or above 150: assess at once; electrocardiogram.",
        ),
        "emergency.brain_signs": _both(
            "Alteración mental o nuca rígida con fiebre, frío o cefalea: atienda de inmediato.",
            "Altered mental state or stiff neck with fever, cold or headache: attend at once.",
        ),
        "emergency.snake_bite": _both(
            "Mordedura de serpiente: reposo del miembro, sin torniquete; traslade ya.",
            "Snake bite: keep the limb still, no tourniquet; transfer now.",
        ),
        "emergency.purpura_and_altered": _both(
            "Petequias o púrpura con alteración mental: trate como sepsis meningocócica.",
            "Petechiae or purpura with altered mental state: treat as meningococcal sepsis.",
        ),
        "emergency.low_glucose_and_altered": _both(
            "Glucosa baja con alteración mental: dé glucosa ahora.",
            "Low glucose with altered mental state: give glucose now.",
        ),
        "pregnancy.danger_sign": _both(
            "Embarazo con signo de peligro (visión, cefalea, abdomen o conciencia): refiera ya.",
            "Pregnancy with a danger sign (vision, headache, abdomen, consciousness): refer now.",
        ),
        "pregnancy.hypertension": _both(
            "Embarazo con 140/90 o más: busque proteína en la orina y signos de preeclampsia.",
            "Pregnancy with 140/90 or more: look for urine protein and signs of pre-eclampsia.",
        ),
        "glucose.above_250_with_ketones": _both(
            "Glucosa mayor de 250 con cetonas: posible cetoacidosis; líquidos y traslado.",
            "Glucose above 250 with ketones: possible ketoacidosis; fluids and transfer.",
        ),
        "pain.severe": _both(
            "Dolor de 7 o más sobre 10: alivie y valore pronto.",
            "Pain of 7 or more out of 10: relieve and assess soon.",
        ),
        "adult.priority_sign": _both(
            "Signo de prioridad (sibilancias, desmayo, no retiene, no bebe o palidez intensa).",
            "Priority sign (wheeze, fainting, keeps nothing down, cannot drink, severe pallor).",
        ),
        "adult.high_risk_vital_sign": _both(
            "Signo vital de alto riesgo: revisión por quien tenga más experiencia.",
            "High-risk vital sign: review by the most experienced clinician.",
        ),
        "dengue.shock": _both(
            "Posible dengue con choque (pulso estrecho, frío o presión baja): grave; trate ya.",
            "Possible dengue with shock (narrow pulse, cold or low pressure): severe; treat now.",
        ),
        "dengue.fluid_with_distress": _both(
            "Posible dengue con líquido y dificultad respiratoria: grave; oxígeno y traslado.",
            "Possible dengue with fluid and respiratory distress: severe; oxygen and transfer.",
        ),
        "dengue.severe_bleeding": _both(
            "Posible dengue con sangrado grave: dengue grave; prepare transfusión y traslado.",
            "Possible dengue with severe bleeding: severe; prepare transfusion and transfer.",
        ),
        "dengue.impaired_consciousness": _both(
            "Posible dengue con alteración de la conciencia: dengue grave; traslade ya.",
            "Possible dengue with impaired consciousness: severe; transfer now.",
        ),
        "dengue.warning_sign": _both(
            "Donde hay dengue: signo de alarma; hidrate, vigile y refiera para observación.",
            "Where dengue circulates: warning sign; hydrate, watch and refer for observation.",
        ),
        "child.unable_to_drink": _both(
            "Niño que no puede beber o mamar: signo general de peligro; refiera de urgencia.",
            "Child unable to drink or breastfeed: general danger sign; refer urgently.",
        ),
        "child.vomits_everything": _both(
            "Niño que vomita todo: signo general de peligro; refiera de urgencia.",
            "Child who vomits everything: general danger sign; refer urgently.",
        ),
        "infant.feeds_badly": _both(
            "Menor de 2 meses que come mal: posible infección grave; refiera.",
            "Under 2 months and feeding badly: possible serious infection; refer.",
        ),
        "infant.fever_37_5": _both(
            "37.5 °C o más en menor de 2 meses: posible infección grave; refiera.",
            "37.5 °C or more under 2 months: possible serious infection; refer.",
        ),
        "child.bulging_fontanelle": _both(
            "Fiebre con fontanela abombada: posible meningitis; refiera de urgencia.",
            "Fever with bulging fontanelle: possible meningitis; refer urgently.",
        ),
        "child.fever_39_under_6_months": _both(
            "39 °C o más entre 3 y 6 meses: riesgo intermedio; examine y vigile.",
            "39 °C or more from 3 to 6 months: intermediate risk; examine and watch.",
        ),
        "child.fever_with_tachycardia": _both(
            "Fiebre con taquicardia para la edad: riesgo intermedio; vuelva a medir y vigile.",
            "Fever with tachycardia for age: intermediate risk; measure again and watch.",
        ),
        "dehydration.severe": _both(
            "Diarrea con deshidratación grave: plan C; líquidos ahora y traslado.",
            "Diarrhea with severe dehydration: plan C; fluids now and transfer.",
        ),
        "dehydration.some": _both(
            "Diarrea con algún grado de deshidratación: plan B en la clínica; vigile.",
            "Diarrhea with some dehydration: plan B at the clinic; watch.",
        ),
        "child.danger_zone": _both(
            "Pulso, respiración o saturación en zona de peligro para la edad: reevalúe pronto.",
            "Pulse, breathing or saturation in the danger zone for age: reassess soon.",
        ),
        "child.priority_sign": _both(
            "Niño letárgico, inquieto, muy pálido o con tiraje: pasa primero.",
            "Child lethargic, restless, very pale or with retractions: goes first.",
        ),
        "infant.under_2_months": _both(
            "Menor de 2 meses: no espera en la fila.",
            "Under 2 months: does not wait in line.",
        ),
    }
)
"""Words of `ddx.safety.flags.FURTHER_RULES`."""

TRIAGE_MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        "triage.level_1": _both("Rojo: atención inmediata.", "Red: immediate."),
        "triage.level_2": _both("Naranja: muy urgente.", "Orange: very urgent."),
        "triage.level_3": _both("Amarillo: urgente.", "Yellow: urgent."),
        "triage.level_4": _both("Verde: puede esperar.", "Green: standard."),
        "triage.level_5": _both("Azul: no urgente.", "Blue: non-urgent."),
        "triage.severity_1": _both(
            "No se puede descartar una enfermedad de máxima gravedad.",
            "A disease of the highest severity cannot be set aside.",
        ),
        "triage.severity_2": _both(
            "No se puede descartar una enfermedad grave.",
            "A severe disease cannot be set aside.",
        ),
        "triage.missing": _both(
            "Faltan signos vitales: el nivel podría ser más urgente.",
            "Vital signs are missing: the level could be more urgent.",
        ),
    }
)
"""Words of the levels, and of the reasons that are no red flag."""

ALL_MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {**MESSAGES, **FURTHER_MESSAGES, **TRIAGE_MESSAGES}
)
