"""The tap as a user runs it, but for how long it waits and what time it takes it to be; for forked runs.

The environment says what differs: TEST_PAUSE, the longest pause between two tries of a request, in seconds;
TEST_STATE_INTERVAL, the seconds between two states; TEST_CLOCK, by how many seconds its clock is ahead.
"""

import os
from datetime import timedelta

# Imported here so that a fork finds it imported.
import tap_ory.tap  # noqa: F401
from ory_reader.http import client
from ory_reader.sync import full_read, snapshot
from tap_ory import __main__ as command

PAUSE, STATE_INTERVAL, CLOCK = "TEST_PAUSE", "TEST_STATE_INTERVAL", "TEST_CLOCK"


def main() -> None:
    if PAUSE in os.environ:
        longest, jitter = float(os.environ[PAUSE]), client._jitter
        client._jitter = lambda seconds: min(jitter(seconds), longest)
    if STATE_INTERVAL in os.environ:
        full_read.STATE_INTERVAL = float(os.environ[STATE_INTERVAL])
    if CLOCK in os.environ:
        ahead, now = timedelta(seconds=float(os.environ[CLOCK])), snapshot.now
        snapshot.now = lambda: now() + ahead
    command.main()
