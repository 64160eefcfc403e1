"""What `ory-connector` does: serves C1, syncs once into a file, or checks the settings. One line for every error."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

from c1_connector import memory
from c1_connector.cancellation import Cancellation
from c1_connector.errors import CancelledError, ConnectorError
from c1_connector.logs import Secrets, set_up
from c1_connector.settings import CONFIG, HEALTH_CHECK, READER, SCHEMA, Settings, parse
from command_basics import baton, telemetry
from command_basics.log_format import log_format
from command_basics.log_level import log_level
from command_basics.startup import no_search_for_cycles
from ory_reader.config.environment import ENV_PREFIX

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import FrameType

    from c1_connector.credentials import Credentials
    from c1_connector.service import Service

_logger = logging.getLogger("ory-connector")


def run() -> None:
    """Do what the command line says; never returns."""
    hidden = Secrets()
    set_up("console", "INFO", hidden)
    try:
        set_up(log_format(os.environ, baton.PREFIX, ConnectorError), "INFO", hidden)
        settings = parse(sys.argv[1:], os.environ)
        set_up(settings.log_format, settings.log_level, hidden, {"tap-ory": _level_of_reads(settings)})
        telemetry.set_up("ory-connector", os.environ)
        for warning in READER.unknown_variables(settings.environ, SCHEMA):
            _logger.warning("%s", warning)
        if settings.credentials:
            secret = settings.credentials.client_secret
            hidden.add(secret, lasting=True)
            if key := secret.rpartition(":")[2]:
                hidden.add(key, lasting=True)
        if settings.show:
            sys.exit(_show(settings))
        if settings.check:
            _check(settings, hidden)
        elif settings.credentials:
            sys.exit(_serve(settings, settings.credentials, hidden))
        else:
            _sync_once(settings, hidden)
    except ConnectorError as error:
        _logger.error("%s", error)  # noqa: TRY400 - a line for the user, no traceback
        sys.exit(1)
    sys.exit(0)


def _level_of_reads(settings: Settings) -> str:
    try:
        return log_level(settings.reader_environment(settings.file), ENV_PREFIX, ConnectorError)
    except ConnectorError:
        # Each read says so.
        return settings.log_level


def _show(settings: Settings) -> int:
    if settings.show == HEALTH_CHECK:
        from c1_connector.health import ask  # noqa: PLC0415 - likewise

        return ask(*settings.health)
    from c1_connector.conventions import capabilities, config_schema  # noqa: PLC0415 - likewise

    shown = config_schema() if settings.show == CONFIG else capabilities()
    sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    return 0


def _check(settings: Settings, hidden: Secrets) -> None:
    if sys.stdout is None:
        msg = "--check writes to standard output, which is closed: leave it open."
        raise ConnectorError(msg)
    if settings.credentials:
        from c1_connector.credentials import TokenSource  # noqa: PLC0415 - a single sync has no use for it

        TokenSource(settings.credentials, settings.api_host, settings.ca_bundle, hidden).authorization()
        sys.stdout.write(f"C1 at {settings.api_host} accepts the client id and secret\n")
        sys.stdout.flush()
    # These take most of a second, which a service that only waits need not spend.
    from c1_connector.read_settings import ory_settings  # noqa: PLC0415
    from c1_connector.reading import explain  # noqa: PLC0415
    from ory_reader.project import Project  # noqa: PLC0415
    from ory_reader.sync.check import check  # noqa: PLC0415

    try:
        client = Project(ory_settings(settings.reader_environment(settings.file), hidden)).client
        sys.stdout.write(f"{check(client)}\n")
    except Exception as error:
        raise ConnectorError(explain(error)) from error


def _sync_once(settings: Settings, hidden: Secrets) -> None:
    with no_search_for_cycles():
        from c1_connector.reading import explain, write_users  # noqa: PLC0415

    # A user is a tree, gone with its last reference: to look for cycles after every 700 of them is lost time.
    gc.set_threshold(100_000)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        write_users(settings.reader_environment(settings.file), hidden)
    except Exception as error:
        raise ConnectorError(explain(error)) from error


def _end(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """End without publishing."""
    sys.exit(128 + signum)


def _serve(settings: Settings, credentials: Credentials, hidden: Secrets) -> int:
    """Serve until a signal comes, and return the exit code: 128 + signal, or gRPC's number of what C1 refused."""
    # What speaks to C1 takes as long to load as some thousand users to read: a single sync has no use for it.
    from c1_connector.client import Client  # noqa: PLC0415
    from c1_connector.credentials import TokenSource  # noqa: PLC0415
    from c1_connector.service import GRACE_SECONDS, Service  # noqa: PLC0415
    from c1_connector.tasks import TaskRunner  # noqa: PLC0415

    memory.keep_in_one_place()
    stopping = Cancellation()
    client = Client(settings, TokenSource(credentials, settings.api_host, settings.ca_bundle, hidden), hidden)
    service = Service(client, TaskRunner(settings, client, stopping), settings.task_concurrency, stopping)
    codes: list[int] = []
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            service.run()
        except CancelledError:
            pass
        except ConnectorError as error:
            _logger.error("%s", error)  # noqa: TRY400
            codes.append(error.code)
        except Exception as error:
            _logger.exception("The service ended with an unforeseen %s", type(error).__name__)
            codes.append(1)
        finally:
            there.send(b"\0")

    # The handler of a signal may not take a lock that this thread may hold: its number comes through a socket.
    there.settimeout(0)
    signal.set_wakeup_fd(there.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _do_nothing)
    serving = threading.Thread(target=serve, name="service", daemon=True)
    with _health_check(settings, hidden, service):
        serving.start()
        if signum := here.recv(1)[0]:
            _logger.info("Stopping, as signal %d came", signum)
            stopping.cancel("The connector is being stopped.")
            # It may be waiting for an answer that a C1 which has just gone will never give.
            serving.join(GRACE_SECONDS + 1)
    client.close()
    return 128 + signum if signum else codes[0]


def _health_check(settings: Settings, hidden: Secrets, service: Service) -> AbstractContextManager[None]:
    if not settings.serves_health:
        return nullcontext()
    from c1_connector.health import Health, serving  # noqa: PLC0415 - for who asks for it

    def validate() -> str:
        from c1_connector.reading import problem_of  # noqa: PLC0415 - a service that only waits has no use for it

        return problem_of(settings.reader_environment(settings.file), hidden)

    return serving(Health(lambda: service.is_ready, validate), *settings.health)


def _do_nothing(signum: int, frame: FrameType | None) -> None:
    """Take a signal; its number is on the socket."""
