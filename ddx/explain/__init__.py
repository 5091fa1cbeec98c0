"""Why a candidate stands where it stands: additive contributions in margin space."""
