"""A sandbox that goes wrong on request: which requests, and in what way."""
