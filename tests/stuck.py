"""Waiting for a command whose output nobody takes."""

import threading
import time

from ory_sandbox import Sandbox


def wait_until_stuck(sandbox: Sandbox) -> None:
    """Return when no more requests come: it stands in the middle of a block, as the pipe is full."""
    deadline = time.monotonic() + 30
    seen = -1
    while sandbox.requests.count != seen and time.monotonic() < deadline:
        seen = sandbox.requests.count
        threading.Event().wait(0.3)
