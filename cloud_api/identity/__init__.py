"""What the service knows of the person who asks."""
