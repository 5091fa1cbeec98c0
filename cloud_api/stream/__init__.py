"""Stored events in server order, for whoever comes after the gateway."""
