"""Cancellation: somebody says stop, and whatever is being waited for ends at once.

Knows nothing of what is being done.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from c1_connector.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Cancellation:
    """May be cancelled once, from any thread."""

    def __init__(self) -> None:
        """Nobody has said stop."""
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._actions: list[Callable[[], Any]] = []
        self._reason = ""

    def cancel(self, reason: str) -> None:
        """Stop; the first reason counts."""
        with self._lock:
            if self._event.is_set():
                return
            self._reason = reason
            self._event.set()
            actions = list(self._actions)
        for action in actions:
            action()

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether it was cancelled by then."""
        return self._event.wait(seconds)

    @property
    def cancelled(self) -> bool:
        """Whether somebody has said stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Go on only if it is not cancelled.

        Raises:
            CancelledError: with the reason.
        """
        if self._event.is_set():
            raise CancelledError(self._reason)

    @contextmanager
    def calling(self, action: Callable[[], Any]) -> Iterator[None]:
        """Do `action` when it is cancelled inside, or was before."""
        with self._lock:
            self._actions.append(action)
            late = self._event.is_set()
        if late:
            action()
        try:
            yield
        finally:
            with self._lock:
                self._actions.remove(action)
