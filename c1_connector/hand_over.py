"""Users as ory_reader decodes them become rows as target_c1 keeps them, column by column, without JSON in between.

Where that is not what the settings ask for (another mapping or format), or a user is an unusual one, target_c1 is given
the record as it would be in a tap's line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_c1.columns import RowColumns
from target_c1.mapping import READY

if TYPE_CHECKING:
    from ory_reader.sync.protocols import Decoder
    from target_c1.run import Run

_decode = msgspec.json.Decoder().decode


class HandOver:
    """Puts the users of one read into a run."""

    def __init__(self, run: Run, stream: str) -> None:
        """Hand over users of this stream."""
        self._run, self._stream = run, stream
        self._columns: RowColumns | None = None

    def give(self, decoder: Decoder, users: list[Any]) -> None:
        """Put users into the run, in their order."""
        if not users or self._run.maker.plain.get(self._stream) != READY[self._stream]:
            self._run.add_records(self._stream, decoder.records(users))
            return
        if self._columns is None:
            self._columns = RowColumns(READY[self._stream], users[0].__struct_fields__)
        addresses = [[email.address for email in user.emails] for user in users]
        rows = self._columns.rows(users, _profiles(users), addresses)
        for user, row in zip(users, rows, strict=True):
            if row is None:
                self._run.add_records(self._stream, decoder.records([user]))
            else:
                self._run.store.add(*row)


def _profiles(users: list[Any]) -> list[Any]:
    """Return the traits; None for those that need a look of their own."""
    try:
        together = b"[" + b",".join([user.profile for user in users]) + b"]"
        profiles: list[Any] = _decode(together)
    except (ValueError, RecursionError):
        return [_profile(user) for user in users]
    return profiles


def _profile(user: Any) -> Any:
    try:
        return _decode(user.profile)
    except (ValueError, RecursionError):
        return None
