"""Thin orchestration: plain steps in order, runnable on one machine."""
