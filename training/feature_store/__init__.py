"""What is known of a patient's and a clinic's past, the same offline and online."""
