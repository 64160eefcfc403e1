"""One read as a unit: version, state, progress, whether it was whole."""
