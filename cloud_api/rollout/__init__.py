"""Releases on their way to the clinics: what is signed, who decided, who was production when."""
