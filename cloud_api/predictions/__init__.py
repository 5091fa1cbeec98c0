"""The log of answered predictions."""
