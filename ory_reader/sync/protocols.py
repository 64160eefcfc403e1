"""What a run of a read needs: the pages, and of the shell streams that can be written and a signal that may end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.id_ranges import Slice
    from ory_reader.pagination.prefetch import PrefetchedPage
    from ory_reader.resources.resource import Resource


class StopSignal(Protocol):
    """Whatever may end a read before its end, by raising `error` between two lines of code."""

    @property
    def error(self) -> type[BaseException]:
        """What is raised."""

    def held_back(self) -> AbstractContextManager[None]:
        """Let nothing cut what is inside; raise the error at its end if something would have."""


class Shell(Protocol):
    """What runs the read."""

    @property
    def bookmarks(self) -> Mapping[str, Mapping[str, Any]]:
        """What is kept of each stream between two runs, by its name."""

    @property
    def termination(self) -> StopSignal:
        """What may end the read before its end."""

    def fingerprint(self) -> object:
        """Return all that decides which records of any stream there are and what they look like, as JSON values."""

    def write_state(self) -> None:
        """Hand on the state as it is now."""

    def conclusion(self, outputs: Sequence[Any], reason: str | None) -> str:
        """Say in half a sentence what follows for its outputs from a read that was whole, or was not for a reason."""


class Read(Protocol):
    """The pages of one list, each once."""

    @property
    def api(self) -> OryClient:
        """The conversation with the server that has it."""

    @property
    def resource(self) -> Resource:
        """The list."""

    @property
    def whole(self) -> bool:
        """Whether the last page was yielded and nothing can have slipped through."""

    @property
    def undelivered(self) -> Sequence[str]:
        """What the server could not deliver, in words."""

    def resume(self, slices: list[Slice]) -> None:
        """Go on with what is left of a read that was interrupted; a ValueError if that is none of this list's."""

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page."""

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take note that a page has reached the output."""

    def remaining(self) -> list[Slice] | None:
        """Return what is not written yet, [] if all is; None where no later run could go on."""

    def count(self) -> int | None:
        """Return how many rows there are, by one cheap request; None where the server does not tell."""


class Decoder(Protocol):
    """Turns pages into the rows of one stream, and rows into records."""

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:
        """Decode a page, without ids beyond `upper` and those in `seen`."""

    def decode_texts(self, texts: Collection[str]) -> None:
        """Decode from now on what is in these fields, which is text or null: for who looks at it."""

    def records(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows, each of which msgspec encodes as its JSON object."""

    def dicts(self, rows: list[Any]) -> Iterator[dict[str, Any]]:
        """Return rows as dicts."""

    def share(self, decoders: Iterable[object]) -> None:
        """Let what is the same for others of these, which turn the same pages into rows, be done once."""

    def bookmark(self, started_at: datetime) -> dict[str, Any]:
        """Return what the state keeps for the next run, after a whole read that began then."""


class Output(Protocol):
    """One stream as a shell writes it. What it raises ends the read."""

    @property
    def stream_state(self) -> dict[str, Any]:
        """What is kept of the stream between two runs; `snapshot` in it is the read's, all else the shell's."""

    def fingerprint(self) -> object:
        """Return all that decides what a record of this stream looks like, as JSON values."""

    def measured(self) -> AbstractContextManager[Any]:
        """Measure what happens inside, which is the writing of all records."""

    def begin(self, version: int) -> None:
        """Take on the version of the read, before its first record."""

    def decoder(self) -> Decoder:
        """Return what turns pages into records of this stream."""

    def write(self, decoder: Decoder, rows: list[Any]) -> None:
        """Write the rows of a page."""

    def complete(self) -> None:
        """The read was whole: whatever it did not bring is no more."""
