"""What the README's figures come from: the tap against its peers, over the same pages. `python -m benchmarks`."""
