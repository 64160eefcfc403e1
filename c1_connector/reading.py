"""The read itself: the users that ory_reader decodes go into a run of target_c1, which publishes them if they are all.

All that it is told it is given: nothing is changed of the process, so that several reads go on side by side.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from c1_connector.errors import CancelledError, ConnectorError, ReadError
from c1_connector.hand_over import HandOver
from c1_connector.read_settings import ory_settings, target_settings
from command_basics.exits import unforeseen
from ory_reader.errors import TapOryError
from ory_reader.http.client import RetryableError
from ory_reader.http.rate_limiter import TOO_MANY_REQUESTS
from ory_reader.project import Project
from ory_reader.resources.identities import count_identities
from ory_reader.streams import STREAMS
from ory_reader.sync.full_read import FullRead
from target_c1.errors import TargetC1Error
from target_c1.run import open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from c1_connector.logs import Secrets
    from ory_reader.sync.protocols import Decoder
    from target_c1.run import Run
    from target_c1.scope import Scope

STREAM = "users"
#: Seconds for each step of a request that only asks whether all is well.
HEALTH_SECONDS = 10.0

_logger = logging.getLogger("tap-ory")


def write_users(
    environ: Mapping[str, str],
    secrets: Secrets,
    scope: Scope | None = None,
    go_on: Callable[[], object] = lambda: None,
) -> None:
    """Read all users and publish the file of those in `scope` (of all), as the variables in `environ` say.

    The secret settings are added to `secrets`. What `go_on` raises ends the read: it is called before each request,
    and before what is read is kept or published.

    Raises:
        TapOryError: if they could not be read.
        ReadError: if some may be missing.
        TargetC1Error: if they could not be written, or too many are missing. Nothing is published then.
    """
    target = target_settings(environ)
    project = Project(ory_settings(environ, secrets), go_on=go_on)
    with open_run(target, scope=scope) as run:
        users = _Users(project, run, go_on)
        FullRead(users, [users], STREAMS[STREAM].read(project)).run()
        if not users.are_all:
            msg = (
                "The read of stream 'users' is not complete: identities kept changing meanwhile. Nothing is published."
            )
            raise ReadError(msg)
        go_on()
        run.publish(run.maker.readers[STREAM].tally)


def problem_of(environ: Mapping[str, str], secrets: Secrets) -> str:
    """Ask the project for its number of identities, once, and return what is wrong, if something is.

    A rate limit that is used up, as a read may have it, is no fault.
    """
    try:
        settings = ory_settings(environ, secrets)
        patient = replace(settings, request_timeout=min(settings.request_timeout, HEALTH_SECONDS))
        count_identities(Project(patient).client)
    except RetryableError as error:
        return "" if error.status == TOO_MANY_REQUESTS else secrets.hide(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, it is the answer
        return secrets.hide(explain(error))
    return ""


class _Users:
    """The one stream of a read, and what runs it; no state is kept, as each read is a whole one."""

    #: What `go_on` raises.
    error = CancelledError

    def __init__(self, project: Project, run: Run, go_on: Callable[[], object]) -> None:
        self.are_all = False
        self.bookmarks: dict[str, dict[str, Any]] = {}
        self.stream_state: dict[str, Any] = {}
        self._project, self._users, self._go_on = project, HandOver(run, STREAM), go_on
        self._stream = STREAMS[STREAM]

    @property
    def termination(self) -> _Users:
        return self

    @contextmanager
    def held_back(self) -> Iterator[None]:
        self._go_on()
        yield

    def fingerprint(self) -> None:
        """No read goes on with another."""

    def write_state(self) -> None:
        """Nobody keeps one."""

    def conclusion(self, outputs: object, reason: str | None) -> str:  # noqa: ARG002
        """What becomes of the users."""
        return f"nothing is published, as {reason}" if reason else "no user is missing"

    def measured(self) -> AbstractContextManager[None]:
        return nullcontext()

    def begin(self, version: int) -> None:  # noqa: ARG002 - there is nothing to tell from other reads
        # Everything is wanted.
        self._mask: Mapping[tuple[str, ...], bool] = defaultdict(lambda: True)
        self._schema = self._stream.schema(self._project.trait_shapes, self._project.settings.adds)
        self._stream.check(self._project, self._schema, self._mask, {}, given=False)

    def decoder(self) -> Decoder:
        return self._stream.decoder(self._project, self._schema, self._mask, {}, changes_only=False)

    def write(self, decoder: Decoder, rows: list[Any]) -> None:
        self._users.give(decoder, rows)
        _logger.debug("A page of %d users is kept", len(rows))

    def complete(self) -> None:
        self.are_all = True


def explain(error: BaseException) -> str:
    """Return the sentence for what ended a read; TAP_ORY_LOGLEVEL=debug has its traceback logged as well."""
    _logger.debug("What has ended the read:", exc_info=error)
    if isinstance(error, (TapOryError, TargetC1Error, ConnectorError)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}."
    return unforeseen(error, "ory-connector")
