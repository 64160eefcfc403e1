"""SIGTERM and SIGINT: the block at hand is finished, then the program ends with 128 + signal."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from command_basics.stdout import abandon_output

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminated(SystemExit):
    """A signal ended the run; passes through every `except Exception`."""

    def __init__(self, signum: int) -> None:
        """The exit code is the shell's: 128 + signal."""
        super().__init__(128 + signum)
        self.signum = signum


class Termination:
    """Raises `Terminated` at the signal, or behind the block that is being written."""

    error = Terminated

    def __init__(self) -> None:
        """No signal has come."""
        self._busy = False
        self._pending: int | None = None

    def listen(self) -> None:
        """Take in SIGTERM and SIGINT from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, _: self.receive(signum))

    def receive(self, signum: int) -> None:
        """Take a signal in; a second one does not wait for a target that reads no more."""
        if self._busy and self._pending is None:
            self._pending = signum
            return
        if self._busy:
            # The block is cut, so no state may follow it, and none would get past whoever is stuck.
            abandon_output()
        raise Terminated(signum)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let no signal cut what is inside."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._pending is not None:
            raise Terminated(self._pending)
