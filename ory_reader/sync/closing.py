"""What a read came to: one plain sentence at its end, and the same for whoever watches.

Knows nothing of how a read goes on, and why.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from command_basics import metrics, telemetry
from command_basics.log_format import NUMBERS
from ory_reader.errors import AccessError, AnswerError, IncompleteError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ory_reader.http.traffic import Traffic
    from ory_reader.resources.resource import Resource

logger = logging.getLogger("tap-ory")

#: Why a read was not whole, by what ended it; the line of the error itself says more.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (IncompleteError, "the server cannot read some"),
    (AccessError, "the server refused"),
    (UnavailableError, "the server could not be reached or did not recover"),
    (AnswerError, "an answer was none of the API's"),
    (SystemExit, "a signal ended the read"),
    (OSError, "the output could not be written"),
    (BaseException, "the read could not go on"),
)


@dataclass
class Account:
    """Of one read of a list: rows so far, and at the end whether it was whole."""

    resource: Resource
    #: Whether it goes on with an interrupted read, so that the rows are those that were left.
    resumed: bool = False
    rows: int = 0
    whole: bool = False
    #: Stretches of rows that the server cannot read.
    unreadable: int = 0
    _began: float = field(default_factory=time.monotonic)

    def add(self, rows: int) -> None:
        """Count rows that were written."""
        self.rows += rows
        telemetry.count(metrics.RECORDS, rows, **{"ory.list": self.resource.name})

    @property
    def outcome(self) -> str:
        """In a word."""
        return "whole" if self.whole else "incomplete"

    def close(self, traffic: Traffic, conclusion: str) -> None:
        """Say how many, how long, by how many requests, how long they waited; then the conclusion."""
        counts, seconds = traffic.since_last(), time.monotonic() - self._began
        numbers = {
            "list": self.resource.name,
            "records": self.rows,
            "resumed": self.resumed,
            "seconds": round(seconds, 3),
            **counts._asdict(),
            "unreadable": self.unreadable,
            "outcome": self.outcome,
        }
        refused = f" ({counts.refused:,} refused with 429)" if counts.refused else ""
        waited = f"{_seconds(counts.waited)} of waiting" if counts.waited else "no wait"
        logger.info(
            "Read %s %s%s in %s with %s request%s%s, %s for rate limits: %s.",
            f"{self.rows:,}",
            "more " if self.resumed else "",
            self.resource.rows,
            _seconds(seconds),
            f"{counts.requests:,}",
            "" if counts.requests == 1 else "s",
            refused,
            waited,
            conclusion,
            extra={NUMBERS: {"read": numbers}},
        )


@contextmanager
def accounted(
    resource: Resource, traffic: Traffic, conclude: Callable[[str | None], str], *, resumed: bool = False
) -> Iterator[Account]:
    """Tell at the end, however it comes, what the read inside came to.

    `conclude` says what follows from a whole read (None), or from one that is not for the reason given.
    """
    account, reason = Account(resource, resumed), f"{resource.rows} kept changing"
    with telemetry.span(f"read {resource.name}") as span:
        try:
            yield account
        except BaseException as error:
            reason = next(words for kind, words in REASONS if isinstance(error, kind))
            raise
        finally:
            account.close(traffic, conclude(None if account.whole else reason))
            if span:
                span.set_attributes({"ory.records": account.rows, "ory.outcome": account.outcome})
            told = {"ory.list": resource.name}
            telemetry.tell(metrics.WHOLE, int(account.whole), **told)
            telemetry.tell(metrics.UNREADABLE, account.unreadable, **told)
            if account.whole:
                telemetry.tell(metrics.LAST_WHOLE, time.time(), **told)


def _seconds(seconds: float) -> str:
    return f"{seconds:,.{1 if seconds >= 1 else 3}f} s"
