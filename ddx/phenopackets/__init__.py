"""GA4GH phenopackets (v2, JSON) in and out: the format other rare-disease tools speak."""
