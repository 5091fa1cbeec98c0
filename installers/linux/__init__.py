"""The deb for clinics on Debian and Ubuntu, made from the frozen application."""
