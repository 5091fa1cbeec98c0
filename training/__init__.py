"""The factory: sources, fitting, evaluation and release of what a bundle holds."""
