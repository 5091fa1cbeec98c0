"""Moves records up and bundles down over links that fail."""
