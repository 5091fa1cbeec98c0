"""Use cases of the clinic: sign in, visit, decide, sync, update. Roles and audit live here."""
