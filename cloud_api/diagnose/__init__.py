"""Diagnosis over HTTP, on the engine of the served bundle."""
