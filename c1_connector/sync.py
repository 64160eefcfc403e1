"""A read as the service sees it: it writes a file whole, or says in a sentence why not, and ends when it is cancelled.

Knows nothing of C1.
"""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from c1_connector import memory
from c1_connector.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c1_connector.cancellation import Cancellation
    from c1_connector.logs import Secrets
    from target_c1.scope import Scope

#: Seconds that a cancelled read has to end by itself. One that waits for an answer takes longer, and is left to it.
PATIENCE = 1.0


def read_users(environ: Mapping[str, str], scope: Scope, cancellation: Cancellation, secrets: Secrets) -> None:
    """Read the users of `scope` into the file that `environ` names.

    Of a read that is cancelled nothing is waited for: it makes no request any more and publishes nothing. Its files
    are beside the one that it was to write.

    Raises:
        ReadError: if they could not be read whole; there is no file then.
        CancelledError: if it was cancelled.
    """
    cancellation.check()
    outcome: Future[None] = Future()
    asking, ended = threading.Event(), threading.Event()

    def go_on() -> None:
        asking.set()
        cancellation.check()

    def read() -> None:
        try:
            _read(environ, secrets, scope, go_on)
        except BaseException as error:  # noqa: BLE001 - whatever it was, the service has to tell C1
            outcome.set_exception(error)
        else:
            outcome.set_result(None)
        finally:
            asking.set()
            ended.set()
            memory.give_back()

    # So that a log knows whose read it is of.
    context = contextvars.copy_context()
    reading = threading.Thread(target=context.run, args=(read,), name="read", daemon=True)
    with cancellation.calling(ended.set):
        reading.start()
        ended.wait()
    if cancellation.cancelled:
        # Until it asks for something it waits for nobody, and makes files.
        asking.wait()
        reading.join(PATIENCE)
    cancellation.check()
    outcome.result()


def _read(environ: Mapping[str, str], secrets: Secrets, scope: Scope, go_on: Callable[[], None]) -> None:
    # It takes most of a second, which a service that only waits need not spend.
    from c1_connector.reading import explain, write_users  # noqa: PLC0415

    try:
        write_users(environ, secrets, scope, go_on)
    except BaseException as error:
        raise ReadError(explain(error)) from error
