"""Ports of 127.0.0.1 that nobody takes away meanwhile: tests run side by side, and systems give ports away as well."""

import random
import socket
from contextlib import ExitStack


def free_ports(number: int = 1) -> list[int]:
    """So many ports in a row, for a server of a test to listen on.

    They lie below the range from which systems give ports away by themselves: they stay ours over a restart.
    """
    while True:
        first = random.randrange(20_000, 32_000, number)
        ports = list(range(first, first + number))
        try:
            for each in ports:
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return ports


def refusing_port(stack: ExitStack) -> int:
    """A port that refuses connections as long as `stack` is open: it is taken, and nobody listens on it."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    port: int = taken.getsockname()[1]
    return port
