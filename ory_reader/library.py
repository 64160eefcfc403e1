"""What `ory_reader` offers to programs: to plan a read, to read some ranges of ids, to make records of pages.

Joins settings, resources and streams; a plan is made in one process and its ranges are read in any others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from command_basics.reader import unknown_settings
from command_basics.version import version
from ory_reader.config import settings as config
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.errors import IncompleteError, SettingsError, TapOryError, in_terms
from ory_reader.http.client import InternalServerError
from ory_reader.http.rate_limiter import ALL, Share
from ory_reader.pagination.id_ranges import LAST_ID, IdRange, Slice, cut
from ory_reader.pagination.paginators import KEYSET
from ory_reader.project import Project
from ory_reader.resources.identities import IDENTITIES, IdentityRead, page_fetcher
from ory_reader.streams import STREAMS, Stream
from ory_reader.streams.identity_views import IdentityView
from ory_reader.streams.stream import mask_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence

    from typing_extensions import Self

    from ory_reader.config.settings import Settings
    from ory_reader.pagination.prefetch import PrefetchedPage
    from ory_reader.sync import protocols
    from ory_reader.traits.shapes import Shape

__all__ = ["Plan", "Read", "TapOryError", "decoder", "open_read", "plan", "settings"]

ALL_IDS = IdRange(None, LAST_ID)


def settings(**given: Any) -> Settings:
    """Check the settings of a project, which are those of `tap-ory` by the same names.

    >>> project = settings(base_url="http://127.0.0.1:4434/", page_size=250)
    >>> project.page_size, project.concurrency
    (250, 4)

    Raises:
        SettingsError: in one line, if one is unknown or cannot be right; the key is in no message.
    """
    values, wrong = config.read(given)
    wrong += (sentence.replace(" is ignored", "") for sentence in unknown_settings(given, CONFIG_SCHEMA["properties"]))
    if wrong:
        raise SettingsError(" ".join(wrong))
    return config.Settings.from_config(values, version())


@dataclass(frozen=True)
class Plan:
    """What a read of a project is made of, to be pickled and sent to others: it holds no key.

    Every identity lies in exactly one of `ranges`, each of ids behind `after` (None: from the first) up to `last`.
    There is but one on a server with offset pagination, or with hardly anybody. `trait_shapes` is what the identity
    schemas say of traits, by schema id, as they were when the plan was made. `rate_limits` are those that the server
    named: how many requests in how many seconds; `spent` is how many were made to plan, by `made_at` (`time.time()`).
    """

    ranges: tuple[IdRange, ...]
    trait_shapes: dict[str, Shape] = field(repr=False)
    rate_limits: tuple[tuple[int, float], ...] = ()
    spent: int = 0
    made_at: float = 0.0
    #: The settings that add fields to a stream and are on.
    adds: frozenset[str] = frozenset()

    def schema(self, stream: str) -> dict[str, Any]:
        """Return the JSON Schema of a stream's records.

        >>> project = settings(base_url="http://127.0.0.1:4434/")
        >>> sorted(plan(project).schema("identities")["properties"]["traits"]["properties"])[:2]
        ['address', 'balance']
        """
        return STREAMS[stream].schema(self.trait_shapes, self.adds)


def plan(project: Settings, n: int = 1, stream: str = "identities", *, typed: bool = True) -> Plan:
    """Ask a project how a stream of it can be read, and cut its ids into `n` ranges where it can be.

    One request tells it, beside those for the identity schemas, which are not asked for where `typed` is false and no
    record is made of them. All but `identities` and `users` have one range, and take no request.

    >>> project = settings(base_url="http://127.0.0.1:4434/")
    >>> [each.last for each in plan(project, 2).ranges]
    ['7fffffff-ffff-ffff-ffff-ffffffffffff', 'ffffffff-ffff-ffff-ffff-ffffffffffff']

    Raises:
        TapOryError: if the project, or its identity schemas, cannot be read.
        KeyError: if there is no such stream.
        ValueError: if `n` is less than 1.
    """
    if n < 1:
        msg = f"A read has at least one range, not {n}."
        raise ValueError(msg)
    if STREAMS[stream].listed(project) is not IDENTITIES:
        return Plan((ALL_IDS,), {}, adds=project.adds)
    parts, of = [Slice(upper=LAST_ID)], Project(project)
    try:
        if KEYSET.recognises(page_fetcher(of.client)(None, 1)):
            parts = cut(parts[0], n)
    except InternalServerError:
        # The first row of all cannot be read, perhaps: the read itself finds out, and is one.
        pass
    ranges = tuple(IdRange(part.position, part.upper or LAST_ID) for part in parts)
    shapes = _shapes(of) if typed or _is_made_of_schemas(STREAMS[stream]) else {}
    limiter = of.client.rate_limiter
    return Plan(ranges, shapes, limiter.limits, limiter.sent, time.time(), project.adds)


def fewer(ranges: Sequence[IdRange], n: int) -> tuple[IdRange, ...]:
    """Return neighbouring ranges as `n` that hold the same ids, or as many as there are if those are fewer."""
    count = min(n, len(ranges))
    borders = [len(ranges) * number // count for number in range(count + 1)]
    return tuple(IdRange(ranges[at].after, ranges[to - 1].last) for at, to in pairwise(borders))


def open_read(project: Settings, ranges: Sequence[IdRange] | None = None, stream: str = "identities") -> Read:
    """Begin a read of some ranges of a plan, or of everything; the first page asked for makes the first request.

    The pages of `identities` serve `users` as well.

    >>> project = settings(base_url="http://127.0.0.1:4434/")
    >>> records = decoder("identities", project)
    >>> with open_read(project) as read:
    ...     number = sum(len(list(records(page))) for page in read.pages())
    >>> number, read.whole
    (25, True)

    Raises:
        SettingsError: if the settings do not say where the server of that stream is.
        KeyError: if there is no such stream.
        ValueError: if `ranges` are none of that stream's.
    """
    return Read(STREAMS[stream].read(Project(project)), ranges)


class Read:
    """A read of a list, each row once. Leaving its `with` block ends it."""

    def __init__(self, read: protocols.Read, ranges: Sequence[IdRange] | None = None) -> None:
        """Make no request yet."""
        self._read = read
        self._nothing = ranges is not None and not ranges
        if ranges and tuple(ranges) != (ALL_IDS,):
            upper = {LAST_ID: None} if read.resource is not IDENTITIES else {}
            read.resume([Slice(after, upper.get(last, last), written=after) for after, last in ranges])
        self._pages = self._read_pages()

    def __enter__(self) -> Self:
        """Return the read itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the read."""
        self.close()

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield pages, which `decoder` makes records of. Asking for the next one says that the last one was used.

        Raises:
            IncompleteError: at the end, unless the read was whole: all that was yielded is right, and something lacks.
            TapOryError: if the read had to end before.
        """
        return self._pages

    def remaining(self) -> list[IdRange] | None:
        """Return the ranges that no used page has covered, for a later `open_read`; [] if there are none.

        None where a read cannot be gone on with: on a server with offset pagination or tokens that expire, behind an
        unreadable identity, and as long as a read of everything has not used its first page. Of other lists than
        identities there is one, which begins behind a page token.
        """
        rest = [] if self._nothing else self._read.remaining()
        return None if rest is None else [IdRange(part.written, part.upper or LAST_ID) for part in rest]

    @property
    def unreadable(self) -> list[IdRange]:
        """The ranges in which the server could not read an identity."""
        return self._read.unreadable if isinstance(self._read, IdentityRead) else []

    @property
    def whole(self) -> bool:
        """Whether the last page was yielded and nothing can have slipped through."""
        return self._nothing or self._read.whole

    def close(self) -> None:
        """Fetch no more."""
        self._pages.close()

    def _read_pages(self) -> Generator[PrefetchedPage, None, None]:
        rows = self._read.resource.rows
        with in_terms({**self._read.api.terms, "identities": rows}):
            for page in () if self._nothing else self._read.pages():
                yield page
                self._read.mark_written(page)
        if not self.whole:
            places = ", ".join(self._read.undelivered)
            reason = f"The server cannot read {places}." if places else f"{rows.capitalize()} kept changing."
            msg = f"{reason} All others were delivered, but the read is not whole: run it again."
            raise IncompleteError(msg)


def decoder(
    stream: str, project: Settings, plan: Plan | None = None, fields: Collection[str] | None = None
) -> Callable[[PrefetchedPage], Iterator[dict[str, Any]]]:
    """Return a function that makes the records of a stream out of a page; `fields` are those wanted, and `id`.

    With a plan the identity schemas are those of the plan; without one they are read now, if the stream needs them. A
    page brings no record that another page of the read brings, whenever it is decoded. Decimals are `decimal.Decimal`,
    as exact as they were sent.

    >>> project = settings(base_url="http://127.0.0.1:4434/")
    >>> users = decoder("users", project, fields=["email"])
    >>> with open_read(project) as read:
    ...     first = next(users(next(read.pages())))
    >>> list(first), "@" in first["email"]
    (['id', 'email'], True)

    Raises:
        TapOryError: if the identity schemas cannot be read.
        KeyError: if there is no such stream, or field.
    """
    of = view(stream, project, plan)
    declared = of.schema["properties"]
    if fields is not None and (unknown := {*fields} - {*declared}):
        raise KeyError(*sorted(unknown))
    compiled = of.decoder(declared if fields is None else fields)
    return lambda page: compiled.dicts(compiled.rows(page.body, upper=page.upper, seen=page.seen))


@dataclass(frozen=True)
class View:
    """A stream of one project, for shells that make other things than dicts of its rows."""

    stream: Stream
    project: Project
    #: The JSON Schema of a record.
    schema: dict[str, Any]

    def decoder(self, fields: Collection[str]) -> protocols.Decoder:
        """Return what turns pages into rows that have these fields, and the key."""
        return self.stream.decoder(self.project, self.schema, mask_of(self.schema, fields), {}, changes_only=False)

    def open_read(self, ranges: Sequence[IdRange] | None = None) -> Read:
        """Begin a read, as the function of that name does."""
        return Read(self.stream.read(self.project), ranges)


def view(stream: str, project: Settings, plan: Plan | None = None, *, typed: bool = True, share: Share = ALL) -> View:
    """Return a stream of a project, its traits typed by the identity schemas of the plan, or of now.

    A read keeps to its `share` of each rate limit.

    Raises:
        TapOryError: if the identity schemas cannot be read, or the settings do not say where the stream's server is.
        KeyError: if there is no such stream.
    """
    definition = STREAMS[stream]
    typed = typed and definition.is_typed
    wanted = typed or _is_made_of_schemas(definition)
    shapes = plan.trait_shapes if plan else _shapes(Project(project)) if wanted else {}
    of = Project(project, shapes, share=share)
    of.api(definition.listed(project))
    return View(definition, of, definition.schema(shapes if typed else None, project.adds))


def _is_made_of_schemas(stream: Stream) -> bool:
    return isinstance(stream, IdentityView) and stream.made_of_schemas


def _shapes(project: Project) -> dict[str, Shape]:
    """What the identity schemas say, which must be known where there are any: users are made of it."""
    project.schemas.settle(needed=True, known=False)
    return project.trait_shapes
