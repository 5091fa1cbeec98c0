"""Whether what is asked and answered now looks like what was, per organisation."""
