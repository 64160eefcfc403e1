"""Real Ory Kratos servers for the tests: pinned source, SQLite, filled through their Admin API.

Two releases, one of each pagination family: v1.0.0 (offset) and v1.3.1 (keyset). Where no server can be built
the tests that need one skip and say why; with `CI` or `TAP_ORY_REQUIRE_REAL` in the environment they fail.
"""
