"""Answers kept for an hour: the same question to the same bundle is computed once."""
