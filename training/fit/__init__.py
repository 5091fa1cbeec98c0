"""Fitting of the models a bundle holds."""
