"""The streams, one small file each."""
