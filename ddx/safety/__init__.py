"""Deterministic rules outside the models, each with its published source."""

from ddx.safety.evaluate import evaluate

__all__ = ["evaluate"]
