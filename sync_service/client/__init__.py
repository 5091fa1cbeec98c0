"""The device's side: outbox port, state machine, transport, updates, schedule."""
