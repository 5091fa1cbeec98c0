"""What travels: versioned messages whose unknown fields survive."""
