"""What Vereda does from a terminal, without window, store or network."""
