"""What identity schemas say of traits, and traits that fit it."""
