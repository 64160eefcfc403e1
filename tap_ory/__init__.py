"""Singer tap for the identities of one Ory project (Ory Network or self-hosted Ory Kratos)."""
