"""Hands out the signed bundle repository."""
