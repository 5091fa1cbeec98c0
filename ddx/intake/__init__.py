"""From what was typed to a case: every issue at once, or a validated Case."""
