"""What to ask next: expected information gain, weighed by harm and cost."""
