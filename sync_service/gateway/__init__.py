"""The server's side: idempotent intake behind ports."""
