"""Tests of the sandbox itself; it is held against what real servers answered in tests/recordings."""
