"""Singer tap for Ory identities."""
