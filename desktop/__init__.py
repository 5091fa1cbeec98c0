"""The clinic on one machine: encrypted store, services, presenters and the window."""
