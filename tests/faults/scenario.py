"""Faults on request: which requests for a list go wrong, and in what way.

A scenario is a list of faults, each an object such as ``{"do": "status", "status": 503, "at": 3}``. ``do`` names
one of the functions of ``kinds``, whose parameters are further members; the others say which requests it
hits, of those that list identities (or others) and come in one after the other:

    on      which list it is, ``identities``, ``sessions``, ``schemas``, ``clients``, ``issuers``, ``tuples``,
            ``organizations`` (identities)
    at      the first that it hits, counted from 1 (1)
    times   how many it hits from there on; null is for ever (1)
    every   of these only each so-manieth
    share   of these only some, picked at random with this probability, the same with each run of a seed
    after   only those for a page behind this page token, or further behind
    row     only those whose page has this identity, given by id or by its place in the list, from 0

Where several faults hit a request, the first one in the list does.
"""

from __future__ import annotations

import inspect
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ory_sandbox.console import ORGANIZATIONS
from tests.faults import kinds
from tests.faults.context import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ory_sandbox.http import Request, Response
    from ory_sandbox.store import Store

_LISTS = {
    "/admin/identities": "identities",
    "/identities": "identities",
    "/admin/sessions": "sessions",
    "/admin/schemas": "schemas",
    "/schemas": "schemas",
    "/admin/clients": "clients",
    "/admin/trust/grants/jwt-bearer/issuers": "issuers",
    "/relation-tuples": "tuples",
    ORGANIZATIONS: "organizations",
}
_SELECTING = ("on", "at", "times", "every", "share", "after", "row")


@dataclass
class _Fault:
    """One fault, and how many requests it could have hit so far."""

    do: Callable[..., Response]
    parameters: Mapping[str, Any]
    on: str = "identities"
    at: int = 1
    times: int | None = 1
    every: int = 1
    share: float = 1.0
    after: str | None = None
    row: str | int | None = None
    _seen: int = field(default=0, init=False)
    _hit: int = field(default=0, init=False)

    def hits(self, call: Call, store: Store, rng: random.Random) -> bool:
        """Whether it hits this request; to be asked once for each."""
        if self.after is not None and not any(token >= self.after for token in call.request.values("page_token")):
            return False
        if self.row is not None and self._row_id(store) not in call.page():
            return False
        self._seen += 1
        if self._seen < self.at or (self._seen - self.at) % self.every or rng.random() >= self.share:
            return False
        self._hit += 1
        return self.times is None or self._hit <= self.times

    def _row_id(self, store: Store) -> bytes:
        return (store.id(self.row) if isinstance(self.row, int) else str(self.row)).encode()


class Faults:
    """A scenario under way on one server."""

    def __init__(self, scenario: Sequence[Mapping[str, Any]], seed: int, store: Store) -> None:
        """Begin a scenario; what is random in it depends on the seed only.

        Raises:
            ValueError: There is no such fault, or it has no such parameter.
        """
        self._faults = [_parsed(each) for each in scenario]
        self._rng = random.Random(seed)
        self._store = store

    def respond(
        self,
        request: Request,
        respond: Callable[[Request], Response],
        outage: Callable[[float | None], None],
    ) -> Response:
        """Answer a request as the scenario has it; ``outage`` ends serving, for so many seconds or for ever."""
        listed = _LISTS.get(request.path) if request.method == "GET" else None
        faults = [fault for fault in self._faults if fault.on == listed]
        if not faults:
            return respond(request)
        call = Call(request, respond, self._store, self._rng, outage)
        # All are asked, for each counts for itself.
        hitting = [fault for fault in faults if fault.hits(call, self._store, self._rng)]
        return hitting[0].do(call, **hitting[0].parameters) if hitting else call.answer()


def read_scenario(file: Path) -> list[dict[str, Any]]:
    """The faults in a JSON file.

    Raises:
        OSError: It can't be read.
        ValueError: It is no JSON array of objects.
    """
    scenario = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(scenario, list) or not all(isinstance(each, dict) for each in scenario):
        message = f"no list of faults: {file}"
        raise ValueError(message)
    return scenario


def _parsed(fault: Mapping[str, Any]) -> _Fault:
    parameters = {name: value for name, value in fault.items() if name != "do" and name not in _SELECTING}
    function = kinds.TROUBLES.get(str(fault.get("do")))
    if function is None:
        message = f"no such fault: {fault.get('do')!r}; there are {', '.join(sorted(kinds.TROUBLES))}"
        raise ValueError(message)
    try:
        inspect.signature(function).bind(None, **parameters)
    except TypeError as error:
        message = f"not how {fault['do']!r} is told: {error}"
        raise ValueError(message) from None
    if fault.get("on", "identities") not in _LISTS.values():
        message = f"no such list: {fault['on']!r}"
        raise ValueError(message)
    return _Fault(function, parameters, **{name: fault[name] for name in _SELECTING if name in fault})
