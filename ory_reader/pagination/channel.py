"""Between the threads that fetch pages and the one that writes them."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")
#: Pages that wait for the writer: enough to hide a slow request, few enough to keep memory flat.
QUEUE_PAGES = 4
#: More bytes than a page has: asked for once and never written to.
LARGER_THAN_PAGES = 16 << 20


class Channel(Generic[T]):
    """A bounded queue that can be closed from either end, so that no thread waits for ever."""

    def __init__(self, size: int) -> None:
        """At most `size` items wait in it."""
        self._items: deque[T | BaseException | None] = deque()
        self._size = size
        lock = threading.Lock()
        # Of the readers that wait for room one is woken, not all for one of them to go on.
        self._room, self._filled = threading.Condition(lock), threading.Condition(lock)
        self._closed = False
        # The C library keeps the memory of pages for the next ones once something larger was given back to it.
        bytes(LARGER_THAN_PAGES)

    def put(self, item: T | BaseException | None) -> bool:
        """Wait until there is room, and put an item in; False if nobody takes any more."""
        with self._room:
            self._room.wait_for(lambda: self._closed or len(self._items) < self._size)
            if self._closed:
                return False
            self._items.append(item)
            self._filled.notify()
            return True

    def get(self) -> T | BaseException | None:
        """Wait for the next item."""
        with self._filled:
            self._filled.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._room.notify()
            return item

    @property
    def closed(self) -> bool:
        """Whether nobody takes any more."""
        return self._closed

    def close(self) -> None:
        """Take no more."""
        with self._room:
            self._closed = True
            self._items.clear()
            self._room.notify_all()


def read_ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """Yield `items`, which are made in a thread of their own, a few ahead. What making one raises is raised here."""
    channel = Channel[T](QUEUE_PAGES)

    def work() -> None:
        try:
            for item in items:
                if not channel.put(item):
                    return
            channel.put(None)
        except BaseException as error:  # noqa: BLE001 - whatever ends the reader must reach the writer
            channel.put(error)

    # What a program keeps in its context, as whose read this is, holds for the reader too.
    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="reader-1", daemon=True).start()
    try:
        while (item := channel.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        channel.close()
