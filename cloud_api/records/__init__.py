"""Predictions, feedback and the cloud's own audit, each behind a port."""
