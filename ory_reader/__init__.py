"""Reads an Ory project: knows Ory, HTTP and JSON, and nothing of what is made of the rows."""
