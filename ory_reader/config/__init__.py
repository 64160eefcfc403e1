"""The settings: one declaration, one reader, and where they may come from."""
