"""What Airbyte asks of a project: check, discover, read. Files and exit codes are the command line's."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from command_basics.version import version
from ory_reader.availability import available_streams, check_services
from ory_reader.config import settings
from ory_reader.errors import SettingsError, TapOryError, UnavailableError
from ory_reader.project import Project
from ory_reader.streams import STREAMS
from ory_reader.sync.full_read import FullRead
from source_ory.catalog import airbyte_stream, bookmarks, chosen, has_types, named
from source_ory.messages import emit, emit_estimate
from source_ory.output import Output, Shell
from source_ory.spec import tap_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from command_basics.signals import Termination
    from ory_reader.resources.resource import Resource
    from ory_reader.sync.protocols import Read


def check(given: Any) -> None:
    """Say whether the settings lead to identities and what else they name, by the tap's own sentences either way."""
    try:
        lines, right = check_services(_project(_checked(given)))
        sentence, status = "\n".join(lines), "SUCCEEDED" if right else "FAILED"
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
    streams = [
        airbyte_stream(each, each.schema(project.trait_shapes, project.settings.adds))
        for each in available_streams(project)
    ]
    _answer("CATALOG", catalog={"streams": streams})


def read(given: Any, catalog: Any, states: Any, termination: Termination) -> None:
    """Read the configured streams; only one that was read to its end is ever said to be complete.

    Raises:
        TapOryError: if the read had to end before, or may have missed identities.
        Terminated: if a signal ended it.
    """
    config = _checked(given)
    project, kept = _project(config), bookmarks(states)
    are_typed = [STREAMS[name].is_typed for name in named(catalog) if name in STREAMS]
    if any(are_typed):
        project.schemas.settle(needed=True, known=has_types(catalog))
    shapes = project.trait_shapes if any(are_typed) else None
    schemas = {name: each.schema(shapes, project.settings.adds) for name, each in STREAMS.items()}
    asked = chosen(catalog, schemas, {name: each.replication_key for name, each in STREAMS.items()})
    outputs = [Output(STREAMS[name], project, each, kept.setdefault(name, {})) for name, each in asked.items()]
    for output in outputs:
        output.check()
    lists: dict[Resource, list[Output]] = {}
    for output in outputs:
        lists.setdefault(output.resource, []).append(output)
    for together in lists.values():
        _read(Shell(config, kept, together, termination))


def _read(shell: Shell) -> None:
    """Read a list for all streams that are made of it."""
    read = shell.outputs[0].read()
    _estimate(read, shell.outputs)
    with shell.reading():
        FullRead(shell, shell.outputs, read).run()
        if not all(output.was_read_whole for output in shell.outputs):
            rows = read.resource.rows.capitalize()
            msg = f"{rows} kept changing while they were read by offset, so some may be missing. Run again."
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


def _estimate(read: Read, outputs: Sequence[Output]) -> None:
    """Tell how many records will come, where that is all of a list and the server tells their number."""
    names = [each.name for each in outputs if not each.changes_only and "snapshot" not in each.stream_state]
    if not names:
        return
    try:
        total = read.count()
    except TapOryError:
        # The read itself tries again, and has the sentence for it.
        return
    if total is not None:
        for name in names:
            emit_estimate(name, total)
