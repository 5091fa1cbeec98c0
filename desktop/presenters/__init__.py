"""Screen logic without a screen: (state, event) -> (state, effects), frozen values only."""
