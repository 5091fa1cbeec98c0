"""Red flags: one row per rule, each with the publication its thresholds come from.

Only thresholds that a guideline or a published definition states; none was fitted or rounded by
us. A rule says "do not overlook this", never what the disease is. Words for the codes are in
`ddx.safety.messages`.
"""

from typing import Final

from ddx.safety.facts import (
    Rule,
    above,
    age_days,
    age_years,
    all_of,
    any_of,
    at_least,
    at_least_of,
    at_most,
    below,
    finding,
    not_alert,
)
from ddx.safety.paediatric import (
    FEVER_NICE,
    IMCI,
    MONTH,
    PALS,
    fast_breathing,
    low_pressure_for_age,
)

WHO_BEC: Final = "WHO/ICRC. Basic emergency care: approach to the acutely ill and injured. 2018"
QSOFA: Final = "Singer M et al. Sepsis-3. JAMA 2016;315:801-810 (qSOFA)"
MENINGITIS_NICE: Final = "NICE. Meningitis and meningococcal disease, NG240. 2024"
CHEST_PAIN: Final = "Gulati M et al. AHA/ACC chest pain guideline. Circulation 2021;144:e368-e454"
GBS: Final = "Blatchford O et al. Lancet 2000;356:1318-1321 (Glasgow-Blatchford score of 2 or more)"
MCPC: Final = "WHO. Managing complications in pregnancy and childbirth, 2nd ed. 2017"

_fever: Final = any_of(finding("HP:0001945"), at_least("temperature_c", 38.0))
_loss_of_consciousness: Final = finding("HP:0001279", "HP:0007185", "HP:0001259")
_altered: Final = any_of(not_alert, finding("HP:0001289", "HP:0004372"))
_chest_pain: Final = finding("HP:0100749")
_dyspnea: Final = finding("HP:0002094")
_stridor: Final = finding("HP:0010307")
_seizure: Final = finding("HP:0001250")
_pregnant: Final = finding("VF:context.pregnant")
_imci_age: Final = age_days(2 * MONTH, 5 * 365.25)
_young_infant: Final = age_days(0, 2 * MONTH)


RULES: Final = (
    Rule("airway.stridor", True, WHO_BEC, _stridor),
    Rule("consciousness.not_alert", True, WHO_BEC, not_alert),
    Rule(
        "oxygen.below_90",
        True,
        "WHO. Pulse oximetry training manual. 2011",
        below("spo2_percent", 90),
    ),
    Rule("child.low_blood_pressure", True, PALS, low_pressure_for_age),
    Rule("child.convulsion", True, IMCI, all_of(age_days(0, 5 * 365.25), _seizure)),
    Rule(
        "child.lethargic_or_unconscious",
        True,
        IMCI,
        all_of(_imci_age, any_of(not_alert, finding("HP:0001254"), _loss_of_consciousness)),
    ),
    Rule(
        "child.fast_breathing",
        False,
        IMCI,
        all_of(
            any_of(finding("HP:0012735"), _dyspnea),
            _imci_age,
            fast_breathing,
        ),
    ),
    Rule(
        "infant.fast_breathing",
        True,
        IMCI,
        all_of(_young_infant, fast_breathing),
    ),
    Rule("infant.cold", True, IMCI, all_of(_young_infant, below("temperature_c", 35.5))),
    Rule(
        "infant.fever",
        True,
        FEVER_NICE,
        all_of(age_days(0, 3 * MONTH), at_least("temperature_c", 38.0)),
    ),
    Rule(
        "sepsis.qsofa",
        True,
        QSOFA,
        all_of(
            age_years(18),
            _fever,
            at_least_of(
                2,
                at_least("respiratory_rate_bpm", 22),
                at_most("systolic_mmhg", 100),
                _altered,
            ),
        ),
    ),
    Rule(
        "meningitis.stiff_neck_and_fever",
        True,
        MENINGITIS_NICE,
        all_of(_fever, finding("HP:0031179", "HP:0025258")),
    ),
    Rule(
        "meningitis.purpura_and_fever",
        True,
        MENINGITIS_NICE,
        all_of(_fever, finding("HP:0000979")),
    ),
    Rule(
        "dengue.bleeding_with_fever",
        True,
        "WHO/TDR. Dengue: guidelines for diagnosis, treatment, prevention and control. 2009",
        all_of(
            _fever,
            finding("HP:0000225", "HP:0000421", "HP:0002248", "HP:0002249"),
        ),
    ),
    Rule(
        "heat_stroke",
        True,
        "Bouchama A, Knochel JP. N Engl J Med 2002;346:1978-1988",
        all_of(above("temperature_c", 40.0), any_of(_altered, _seizure)),
    ),
    Rule(
        "hypothermia",
        True,
        "European Resuscitation Council. Cardiac arrest in special circumstances. 2021",
        below("temperature_c", 35.0),
    ),
    Rule(
        "glucose.below_54",
        True,
        "American Diabetes Association. Standards of Care: level 2 hypoglycemia. 2024",
        below("glucose_mg_dl", 54),
    ),
    Rule(
        "glucose.above_600",
        True,
        "Kitabchi AE et al. Diabetes Care 2009;32:1335-1343 (hyperosmolar state)",
        above("glucose_mg_dl", 600),
    ),
    Rule("chest_pain.adult", False, CHEST_PAIN, all_of(age_years(18), _chest_pain)),
    Rule(
        "chest_pain.with_warning_sign",
        True,
        CHEST_PAIN,
        all_of(
            age_years(18),
            _chest_pain,
            any_of(finding("HP:0000975", "HP:0031972"), _dyspnea, _loss_of_consciousness),
        ),
    ),
    Rule(
        "headache.thunderclap",
        True,
        "Perry JJ et al. JAMA 2013;310:1248-1255 (Ottawa subarachnoid haemorrhage rule)",
        finding("HP:0030907"),
    ),
    Rule(
        "stroke.face_arm_speech",
        True,
        "Kothari RU et al. Ann Emerg Med 1999;33:373-378 (Cincinnati stroke scale)",
        all_of(age_years(18), finding("HP:0012799", "HP:0001260", "HP:0004374")),
    ),
    Rule(
        "anaphylaxis.after_allergen",
        True,
        "Cardona V et al. World Allergy Organ J 2020;13:100472",
        all_of(
            finding("VF:exposure.allergen"),
            any_of(
                _stridor,
                finding("HP:0030828"),
                all_of(age_years(18), below("systolic_mmhg", 90)),
            ),
        ),
    ),
    Rule(
        "bleeding.upper_digestive",
        True,
        GBS,
        all_of(
            finding("HP:0002248", "HP:0002249"),
            any_of(below("systolic_mmhg", 100), _loss_of_consciousness),
        ),
    ),
    Rule(
        "hypertension.severe",
        False,
        "Whelton PK et al. ACC/AHA hypertension guideline. Hypertension 2018;71:e13-e115",
        all_of(age_years(18), any_of(above("systolic_mmhg", 180), above("diastolic_mmhg", 120))),
    ),
    Rule(
        "pregnancy.severe_hypertension",
        True,
        "ACOG Practice Bulletin 222. Obstet Gynecol 2020;135:e237-e260",
        all_of(
            _pregnant,
            any_of(at_least("systolic_mmhg", 160), at_least("diastolic_mmhg", 110)),
        ),
    ),
    Rule("pregnancy.convulsion", True, MCPC, all_of(_pregnant, _seizure)),
    Rule("pregnancy.bleeding", True, MCPC, all_of(_pregnant, finding("HP:0034263"))),
    Rule(
        "self_harm",
        True,
        "WHO. mhGAP intervention guide 2.0: self-harm and suicide. 2016",
        finding("HP:0031589", "HP:5200330"),
    ),
)
