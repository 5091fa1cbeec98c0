"""The devices of an organisation: codes to enrol with, the list, revocation."""
