"""The server's side: idempotent intake as ports, a pure decision and a routes factory."""
