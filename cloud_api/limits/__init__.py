"""What the service refuses before it does any work: too much, too fast, from elsewhere."""
