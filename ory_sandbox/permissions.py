"""Relation tuples, as Ory Keto lists and checks them: v0.13 by plain tokens, newer ones by encrypted tokens."""

from __future__ import annotations

import uuid
from collections import defaultdict
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ory_sandbox import paging
from ory_sandbox.answers import NOT_FOUND, described
from ory_sandbox.http import Response
from ory_sandbox.render import to_json
from ory_sandbox.store import Packed, pack
from ory_sandbox.tokens import BadTokenError, ExpiredTokenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ory_sandbox.answers import Handlers
    from ory_sandbox.holdings import Holdings
    from ory_sandbox.http import Request
    from ory_sandbox.tokens import OpaqueTokens

    Tuple = Mapping[str, Any]

TUPLES, NAMESPACES, CHECK = "/relation-tuples", "/namespaces", "/relation-tuples/check"
_DEFAULT_SIZE, _LIMIT = 100, 500
_MAX_DEPTH = 5
_OF_TUPLE = ("namespace", "object", "relation", "subject_id")
_OF_SET = ("namespace", "object", "relation")
#: Objects and subjects are kept, and some lists sorted, by UUIDs that Keto makes of them and of the project's own.
_PROJECT = uuid.UUID(int=7)


class Permissions:
    """Answers for the tuples of one project. Their rows have ids, which the server shows in plain tokens alone."""

    def __init__(self, holdings: Holdings, tokens: OpaqueTokens | None) -> None:
        """Answer as v0.13 does, or with encrypted tokens as newer ones do."""
        self._holdings = holdings
        self._tokens = tokens
        self._found: dict[tuple[tuple[str, str], ...], Sequence[int]] = {}

    def handlers(self, path: str) -> Handlers | None:
        """What the methods of a path do; None where there is nothing."""
        handler = {TUPLES: self._list, NAMESPACES: self._namespaces, CHECK: self._check}.get(path)
        return {"GET": handler} if handler else None

    def _namespaces(self, _request: Request) -> Response:
        names = [{"name": name} for name in self._holdings.namespaces]
        return _json({"namespaces": names})

    def _list(self, request: Request) -> Response:
        wanted = _filters(request)
        if (name := dict(wanted).get("namespace")) is not None and name not in self._holdings.namespaces:
            return self._error(HTTPStatus.NOT_FOUND, NOT_FOUND, f'Unknown namespace with name "{name}".')
        rows = self._rows(wanted)
        token = paging.first_value(request, "page_token")
        try:
            size = self._size(paging.first_value(request, "page_size"))
            start = self._start(token, rows) if token else 0
        except paging.RefusedError as refused:
            return self._error(HTTPStatus.BAD_REQUEST, str(refused))
        except ValueError:
            return self._error(HTTPStatus.INTERNAL_SERVER_ERROR, "malformed page token")
        except BadTokenError as bad:
            if bad.short:
                return Response(HTTPStatus.INTERNAL_SERVER_ERROR, drop=True)
            return self._error(HTTPStatus.BAD_REQUEST, "decrypt token: %!w(<nil>)")
        page = rows[start : start + size]
        following = self._token(page[-1]) if start + size < len(rows) else ""
        if isinstance(page, range):
            body: bytes | memoryview = self._packed.between(page.start, page.stop)
        else:
            body = b",".join(self._packed[row] for row in page)
        ending = b'],"next_page_token":%b}' % to_json(following).encode()
        return Response(HTTPStatus.OK, [_JSON], [b'{"relation_tuples":[', body, ending, b"\n"])

    def _size(self, text: str) -> int:
        size = paging.go_integer(text) if text else 0
        if size is None:
            message = f'strconv.{"Atoi" if self._tokens else "ParseInt"}: parsing "{text}": invalid syntax'
            raise paging.RefusedError(message)
        if size <= 0:
            return _DEFAULT_SIZE
        return min(size, _LIMIT) if self._tokens else size

    @cached_property
    def _packed(self) -> Packed:
        (packed,) = pack((to_json(each).encode(),) for each in self._holdings.tuples)
        return packed

    @cached_property
    def _step(self) -> int:
        """How far apart the ids of two rows are."""
        return 2**128 // (len(self._holdings.tuples) + 2)

    def _rows(self, wanted: tuple[tuple[str, str], ...]) -> Sequence[int]:
        """The places of the tuples that are wanted, in the order of the list."""
        if not wanted:
            return range(len(self._holdings.tuples))
        if wanted not in self._found:
            found = [
                place
                for place, each in enumerate(self._holdings.tuples)
                if all(_member(each, name) == value for name, value in wanted)
            ]
            if self._tokens and [name for name, _ in wanted] == ["namespace"]:
                found.sort(key=lambda place: _order(self._holdings.tuples[place]))
            self._found[wanted] = found
        return self._found[wanted]

    def _token(self, place: int) -> str:
        if self._tokens:
            return self._tokens.make(str(place))
        return str(uuid.UUID(int=(place + 1) * self._step))

    def _start(self, token: str, rows: Sequence[int]) -> int:
        """Behind which row a token leads."""
        if self._tokens:
            try:
                return rows.index(int(self._tokens.position(token))) + 1
            except ExpiredTokenError:
                message = "page token expired, do not persist page tokens"
                raise paging.RefusedError(message) from None
        place = uuid.UUID(token).int // self._step - 1
        return sum(row <= place for row in rows) if not isinstance(rows, range) else max(0, place + 1)

    def _error(self, status: HTTPStatus, message: str, reason: str = "") -> Response:
        headers = [("Content-Type", "application/json")]
        if self._tokens:
            headers.append(("Ory-Error-Id", ""))
        return Response(status, headers, [described(status, message, reason)])

    # Checks

    def _check(self, request: Request) -> Response:
        wanted = dict(_filters(request))
        subject = {name: value for name, value in wanted.items() if name.startswith("subject")}
        depth = paging.go_integer(paging.first_value(request, "max-depth")) or _MAX_DEPTH
        thing = tuple(wanted.get(name, "") for name in _OF_SET)
        allowed = self._allowed(thing, subject, min(depth, _MAX_DEPTH))
        return _json({"allowed": allowed}, HTTPStatus.OK if allowed else HTTPStatus.FORBIDDEN)

    @cached_property
    def _by_thing(self) -> Mapping[tuple[str, ...], list[Tuple]]:
        by_thing: defaultdict[tuple[str, ...], list[Tuple]] = defaultdict(list)
        for each in self._holdings.tuples:
            by_thing[tuple(each[name] for name in _OF_SET)].append(each)
        return by_thing

    def _allowed(self, thing: tuple[str, ...], subject: Mapping[str, str], depth: int) -> bool:
        """Whether a subject is in a relation, or has what the namespace permits by others."""
        if depth <= 0:
            return False
        for each in self._by_thing.get(thing, ()):
            if all(_member(each, name) == value for name, value in subject.items()):
                return True
            if "subject_set" in each and self._allowed(_set(each), subject, depth - 1):
                return True
        namespace, named, relation = thing
        for through, onward in self._holdings.namespaces.get(namespace, {}).get(relation, ()):
            if not onward and self._allowed((namespace, named, through), subject, depth):
                return True
            for each in self._by_thing.get((namespace, named, through), ()) if onward else ():
                parent, name, _ = _set(each)
                if self._allowed((parent, name, onward), subject, depth - 1):
                    return True
        return False


_JSON = ("Content-Type", "application/json; charset=utf-8")


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(status, [_JSON], [to_json(value).encode(), b"\n"])


def _filters(request: Request) -> tuple[tuple[str, str], ...]:
    """What a tuple's members have to be, by their names."""
    names = (*_OF_TUPLE, *(f"subject_set.{name}" for name in _OF_SET))
    return tuple((name, request.values(name)[0]) for name in names if request.values(name))


def _member(each: Tuple, name: str) -> str | None:
    of, _, inner = name.rpartition(".")
    holder = each.get(of) if of else each
    return None if holder is None else holder.get(inner)


def _set(each: Tuple) -> tuple[str, ...]:
    return tuple(each.get("subject_set", {}).get(name, "") for name in _OF_SET)


def _order(each: Tuple) -> tuple[str, ...]:
    """Where a tuple stands in the list of its namespace."""
    namespace, thing, relation = _set(each)
    return (
        _mapped(each["object"]),
        each["relation"],
        _mapped(each["subject_id"]) if "subject_id" in each else "",
        namespace,
        _mapped(thing),
        relation,
    )


def _mapped(text: str) -> str:
    return str(uuid.uuid5(_PROJECT, text))
