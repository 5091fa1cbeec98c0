"""Settings an organisation hands down to its devices."""
