"""What a signed-in person may ask for in a terminal: these commands open the clinic."""
