"""Figures of Vereda beside its peers', in the same run, on this machine. `make bench`."""
