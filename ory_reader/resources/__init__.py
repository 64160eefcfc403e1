"""One file a list of Ory's."""
