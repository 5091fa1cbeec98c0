"""From the gate to the clinics: a candidate is agreed to, registered and written down."""
