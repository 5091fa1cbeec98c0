"""The cloud service: sync gateway, bundle registry and the same engine as the desktop."""
