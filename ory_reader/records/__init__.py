"""What is wanted of a record, and how a page of bytes becomes such records."""
