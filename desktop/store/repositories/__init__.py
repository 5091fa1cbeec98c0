"""One module per aggregate: SQL in, frozen records out. None of them commits."""
