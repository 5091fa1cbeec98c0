"""Deterministic rules outside the models: red flags, early warning scores, their sources."""
