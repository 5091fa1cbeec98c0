"""What was done in the cloud: one hash chain per organisation."""
