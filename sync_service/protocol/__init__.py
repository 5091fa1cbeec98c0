"""The wire: messages, versions and errors that client and gateway share."""
