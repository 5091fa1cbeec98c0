"""What turns the source into what a clinic installs: frozen application, deb, MSI, policies.

Runs on the machine that builds; nothing here is part of the installed application.
"""
