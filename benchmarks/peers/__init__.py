"""The peers, one small program each: what people would otherwise use, and the floor. Each is told the server's URL."""
