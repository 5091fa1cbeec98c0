"""The writer's side of bundles: keys, building, signing. Training and tests import it only."""
