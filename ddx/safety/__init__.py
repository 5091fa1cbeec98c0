"""Deterministic rules outside the models, each with its published source."""

from ddx.safety.flags import Flags
from ddx.safety.recommend import Recommendations
from ddx.safety.triage import Level, Triage, triage

__all__ = ["Flags", "Level", "Recommendations", "Triage", "triage"]
