"""Measurement of the models on cases that never trained them."""
