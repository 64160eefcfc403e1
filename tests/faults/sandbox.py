"""FaultySandbox: the sandbox with a scenario of what goes wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ory_sandbox import Sandbox
from tests.faults.scenario import Faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ory_sandbox.http import Request, Response


class FaultySandbox(Sandbox):
    """A sandbox whose lists go wrong as told; see ``tests.faults.scenario``."""

    def __init__(
        self,
        identities: int | Iterable[Mapping[str, Any]] = 2000,
        *,
        faults: Sequence[Mapping[str, Any]] = (),
        seed: int = 1,
        **options: Any,
    ) -> None:
        """Listen, but serve nobody yet.

        Raises:
            ValueError: There is no such fault, or what `Sandbox` raises.
        """
        super().__init__(identities, seed=seed, **options)
        try:
            self._faults = Faults(faults, seed, self._store)
        except ValueError:
            self._opened.close()
            raise

    def _answer(self, role: str, request: Request) -> Response:
        return self._faults.respond(request, partial(super()._answer, role), self._outage)

    def mend(self) -> None:
        """End what goes wrong: no fault hits any more, all identities can be read, an outage is over."""
        self._faults = Faults([], 0, self._store)
        super().mend()
