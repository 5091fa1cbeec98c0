"""The one-folder application: what may be inside, how it is made, how large it came out."""
