"""One read of all that access is made of: people, organizations, tuples and clients, whole or not at all."""

from __future__ import annotations

import logging
import tempfile
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.access.explain import remarks, table
from ory_reader.access.graph import AccessGraph
from ory_reader.access.records import AccessRecords
from ory_reader.access.store import Client, Organization, Person, Store, Tuple
from ory_reader.config.access import NONE
from ory_reader.errors import IncompleteError, in_terms, refuse
from ory_reader.pagination.id_ranges import Slice
from ory_reader.pagination.prefetch import PrefetchedPage
from ory_reader.resources.access import ACCESS, KEYS, head_of
from ory_reader.streams.stream import mask_of
from ory_reader.sync.full_read import terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ory_reader.project import Project
    from ory_reader.streams.stream import Stream

logger = logging.getLogger("tap-ory")

PAGE_ROWS = 1000
_PROFILE = ("owner", "grant_types", "scope", "updated_at")


class AccessRead:
    """Reads all that access is made of, whole, and yields pages of what was made of it. No later run can go on."""

    resource = ACCESS
    undelivered: tuple[str, ...] = ()

    def __init__(self, project: Project, made_of: Mapping[str, Stream]) -> None:
        """Make no request yet.

        Raises:
            SettingsError: if a setting leaves out what access is made of: whoever it concerns would lose theirs.
        """
        for name in ("organization_id", "namespaces"):
            if getattr(project.settings, name):
                refuse(name, "leaves out what access is made of", "unset it where access is read")
        self._project, self._made_of = project, made_of
        self.api = project.client
        self.whole = False

    def resume(self, slices: list[Slice]) -> None:  # noqa: ARG002 - a protocol's
        """No read is gone on with: a state that holds one is not of this list."""
        raise ValueError

    def remaining(self) -> None:
        """No later run can go on."""

    def mark_written(self, page: PrefetchedPage) -> None:
        """Nothing is kept of where it stands."""

    def count(self) -> None:
        """Nobody tells how many there will be."""

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield pages of resources, then of entitlements, then of grants.

        Raises:
            IncompleteError: if one of the lists could not be read whole: before the first page.
            TapOryError: if one could not be read.
        """
        settings = self._project.settings
        with self.graph() as graph:
            for sentence in remarks(graph):
                logger.info("%s", sentence)
            records = AccessRecords(graph, settings)
            kinds = (records.resources(), records.entitlements(), records.grants(expand=settings.access_expand))
            for name, made in zip(KEYS, kinds, strict=True):
                for rows in _batches(made, PAGE_ROWS):
                    body = head_of(name) + msgspec.json.encode(rows)
                    yield PrefetchedPage(body, Slice(), None, None, None)
        self.whole = True

    @contextmanager
    def graph(self) -> Iterator[AccessGraph]:
        """Read everything, and hold what was made of it."""
        with tempfile.TemporaryDirectory(prefix="tap-ory-") as home, closing(Store(Path(home) / "access")) as store:
            self._fill(store)
            yield AccessGraph(store, self._project.settings)

    def _fill(self, store: Store) -> None:
        settings = self._project.settings
        if settings.access_match_names:
            people = self._rows("users", ("external_id", "organization_id", "email", "emails", "username"))
            _feed(store.add_people, (_person(row, _names(row)) for row in people))
        else:
            people = self._rows("identities", ("external_id", "organization_id"))
            _feed(store.add_people, map(_person, people))
        organizations = self._rows("organizations", ("label", "domains", "created_at"))
        _feed(store.add_organizations, map(_organization, organizations))
        if settings.access_namespaces != []:
            _feed(store.add_tuples, map(_tuple, self._rows("relation_tuples")))
        if settings.access_clients != NONE:
            fields = ("client_name", "created_at", *_PROFILE)
            _feed(store.add_clients, map(_client, self._rows("oauth2_clients", fields)))

    def _rows(self, name: str, fields: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the records of a stream; none where the settings lead to no server that has it."""
        stream, project = self._made_of[name], self._project
        service = stream.resource.service
        if project.settings.at(service) is None:
            # The console's address has a default.
            missing = service.token if getattr(project.settings, service.url) else service.url
            logger.info("Access is made without %s: setting %s is not set.", stream.resource.rows, missing)
            return
        schema = stream.schema(project.trait_shapes if stream.is_typed else None)
        mask = mask_of(schema, None if fields is None else {*fields, *stream.key})
        stream.check(project, schema, mask, {}, given=False)
        decoder, read = stream.decoder(project, schema, mask, {}, changes_only=False), stream.read(project)
        with in_terms(terms_of(read)):
            for page in read.pages():
                yield from decoder.dicts(decoder.rows(page.body, upper=page.upper, seen=page.seen))
        if read.undelivered or not read.whole:
            places = "; ".join(read.undelivered) or f"{stream.resource.rows} kept changing"
            msg = f"Access is not published, as {stream.resource.rows} could not be read whole: {places}. Run it again."
            raise IncompleteError(msg)


def explain_access(project: Project, made_of: Mapping[str, Stream]) -> list[str]:
    """Read all that access is made of; return a table of what becomes what, and what else there is to know.

    Raises:
        TapOryError: if something could not be read whole.
    """
    with AccessRead(project, made_of).graph() as graph:
        return [table(graph), *remarks(graph)]


def _feed(add: Callable[[list[Any]], None], rows: Iterable[Any]) -> None:
    for batch in _batches(iter(rows), PAGE_ROWS):
        add(batch)


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(rows, size)):
        yield batch


def _person(row: Mapping[str, Any], names: Iterable[str] = ()) -> Person:
    return Person(row["id"], row.get("external_id"), row.get("organization_id"), tuple(names))


def _names(row: Mapping[str, Any]) -> set[str]:
    addresses = (each["address"] for each in row.get("emails") or ())
    return {each for each in (row.get("email"), row.get("username"), *addresses) if each}


def _organization(row: Mapping[str, Any]) -> Organization:
    domains = row.get("domains")
    return Organization(row["id"], row.get("label"), _json(domains) if domains else None, row.get("created_at"))


def _client(row: Mapping[str, Any]) -> Client:
    profile = {name: row[name] for name in _PROFILE if row.get(name)}
    return Client(row["client_id"], row.get("client_name"), _json(profile), row.get("created_at"))


def _tuple(row: Mapping[str, Any]) -> Tuple:
    subject = row.get("subject_set") or {}
    return Tuple(
        row["namespace"],
        row["object"],
        row["relation"],
        row.get("subject_id") or "",
        *(subject.get(name) or "" for name in ("namespace", "object", "relation")),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
