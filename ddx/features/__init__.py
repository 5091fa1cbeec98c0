"""A case as numbers: the one definition that training and device share."""
