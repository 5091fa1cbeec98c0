"""The vocabulary of the active bundle: findings, diseases, HPO, and search over them."""
