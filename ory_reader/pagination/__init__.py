"""How lists are walked: page tokens, slices of a key space, readers ahead of the writer, rows that cannot be read."""
