"""From an identity to a user: which trait means what, compiled."""
