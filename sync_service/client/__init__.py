"""The device's side: outbox to gateway, bundle offers to slots."""
