"""Who may do what: organizations, relation tuples and clients as resources, entitlements and grants."""
