"""Bronze to silver to gold: what clinics, hospitals and publishers sent, as Delta tables."""
