"""What the documentation shows of /predict and /explain: a made-up case, shortened answers."""

from typing import Any, Final

CASE: Final[dict[str, Any]] = {
    "age_days": 9125,
    "sex": "female",
    "findings": [
        {"id": "HP:0001945", "presence": "present", "onset_days": 4},
        {"id": "HP:0002315", "presence": "present"},
        {"id": "HP:0012735", "presence": "excluded"},
    ],
    "vitals": {"temperature_c": 39.2, "heart_rate_bpm": 104, "spo2_percent": 96},
}
ASKED: Final[dict[str, Any]] = {"case": CASE, "limit": 5, "explained": 3, "language": "es"}
_BUNDLE: Final = {"bundle_version": "2026.11.6", "bundle_digest": "b" * 64}
PREDICTED: Final[dict[str, Any]] = {
    "receipt_id": "0198a000-0000-7000-8000-000000000001",
    **_BUNDLE,
    "candidates": [
        {
            "rank": 1,
            "disease": "VD:dengue",
            "name": "Dengue",
            "world": "common",
            "severity": 3,
            "confidence": {"probability": 0.82, "band": "very_likely"},
            "not_excluded": True,
            "explanation": ["La fiebre desde hace 4 días lo apoya."],
            "recommendations": [
                {"kind": "act", "text": "Dé líquidos.", "guideline": "OPS. Guía. 2022"}
            ],
        }
    ],
    "red_flags": [],
    "triage": {
        "level": 3,
        "text": "Urgente: atender en menos de una hora.",
        "reasons": [],
        "missing_vital_signs": ["respiratory_rate_bpm"],
    },
    "next_question": None,
    "stop_asking": "little_to_gain",
    "differential": {"candidates": [], "outside_probability": 0.04},
}
EXPLAINED: Final[dict[str, Any]] = {
    **_BUNDLE,
    "explanation": {
        "disease": "VD:dengue",
        "world": "common",
        "base": -2.0,
        "margin": 1.5,
        "contributions": [],
        "expected": [],
    },
}
