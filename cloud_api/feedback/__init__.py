"""What clinicians decided about predictions."""
