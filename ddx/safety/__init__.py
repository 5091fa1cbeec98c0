"""Deterministic rules outside the models, each with its published source."""

from ddx.safety.evaluate import evaluate
from ddx.safety.recommend import Recommendations
from ddx.safety.triage import Level, Triage, further_alerts, triage

__all__ = ["Level", "Recommendations", "Triage", "evaluate", "further_alerts", "triage"]
