"""Watches the model that serves: what comes in, what goes out, and whether it was right."""
