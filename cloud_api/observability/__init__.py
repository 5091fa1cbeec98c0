"""What operators see of the service: log lines and traces, never a value of a request."""
