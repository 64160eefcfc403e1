"""What Airbyte asks of a project: check, discover, read. Files and exit codes are the command line's."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from command_basics.version import version
from ory_reader.config import settings
from ory_reader.errors import SettingsError, TapOryError, UnavailableError
from ory_reader.project import Project
from ory_reader.resources.identities import count_identities
from ory_reader.streams import STREAMS
from ory_reader.sync.check import check as check_connection
from ory_reader.sync.full_read import FullRead
from source_ory.catalog import airbyte_stream, bookmarks, chosen, has_types
from source_ory.messages import emit, emit_estimate
from source_ory.output import Output, Shell
from source_ory.spec import tap_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from command_basics.signals import Termination


def check(given: Any) -> None:
    """Say whether the settings lead to identities, by the tap's own sentence either way."""
    try:
        sentence, status = check_connection(_project(_checked(given)).client), "SUCCEEDED"
    except TapOryError as error:
        sentence, status = str(error), "FAILED"
    _answer("CONNECTION_STATUS", connectionStatus={"status": status, "message": sentence})


def discover(given: Any) -> None:
    """Say which streams there are.

    Raises:
        TapOryError: if the settings cannot be right.
    """
    project = _project(_checked(given))
    project.schemas.settle(needed=True, known=False)
    streams = [airbyte_stream(each, each.schema(project.trait_shapes)) for each in STREAMS.values()]
    _answer("CATALOG", catalog={"streams": streams})


def read(given: Any, catalog: Any, states: Any, termination: Termination) -> None:
    """Read the configured streams; only one that was read to its end is ever said to be complete.

    Raises:
        TapOryError: if the read had to end before, or may have missed identities.
        Terminated: if a signal ended it.
    """
    config = _checked(given)
    project, kept = _project(config), bookmarks(states)
    project.schemas.settle(needed=True, known=has_types(catalog))
    asked = chosen(catalog, {name: each.schema(project.trait_shapes) for name, each in STREAMS.items()})
    outputs = [Output(STREAMS[name], project, each, kept.setdefault(name, {})) for name, each in asked.items()]
    _estimate(project, outputs)
    shell = Shell(config, kept, outputs, termination)
    with shell.reading():
        for output in outputs:
            output.check_types()
        FullRead(project.client, shell, outputs).run()
        if not all(output.was_read_whole for output in outputs):
            msg = "Identities kept changing while they were read by offset, so some may be missing. Run again."
            raise UnavailableError(msg)


def _checked(given: Any) -> dict[str, Any]:
    config, errors = settings.read(tap_config(given))
    if errors:
        raise SettingsError(" ".join(errors))
    return config


def _project(config: dict[str, Any]) -> Project:
    return Project(settings.Settings.from_config(config, version()))


def _answer(kind: str, **body: Any) -> None:
    """Say what was asked. Who has it may end us at once, and then no exit code should look like a failure."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    emit(kind, **body)


def _estimate(project: Project, outputs: Sequence[Output]) -> None:
    """Tell how many records will come, where that is all identities and the server tells their number."""
    names = [each.name for each in outputs if not each.changes_only and "snapshot" not in each.stream_state]
    if not names:
        return
    try:
        total = count_identities(project.client)
    except TapOryError:
        # The read itself tries again, and has the sentence for it.
        return
    if total is not None:
        for name in names:
            emit_estimate(name, total)
