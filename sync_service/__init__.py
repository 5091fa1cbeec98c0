"""Moves records and bundles over bad links."""
