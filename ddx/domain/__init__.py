"""The nouns of the house: frozen values with no third party, no clock and no disk."""
