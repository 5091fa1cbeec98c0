"""How a release reaches the clinics: a pure controller, its evidence, a fleet to try it on."""
