"""The errors that a user is shown, each as one line. No message may hold a secret.

Knows nothing of how C1 is spoken to.
"""

from __future__ import annotations

CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
PERMISSION_DENIED = 7
FAILED_PRECONDITION = 9
UNIMPLEMENTED = 12
UNAVAILABLE = 14
UNAUTHENTICATED = 16
#: The answers that another try would get again.
FINAL = frozenset({UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED, FAILED_PRECONDITION, NOT_FOUND})


class ConnectorError(Exception):
    """An error whose text is meant for the user, with gRPC's number for its kind."""

    code = UNKNOWN


class C1Error(ConnectorError):
    """C1 could not be reached, or refused."""

    def __init__(self, code: int, message: str) -> None:
        """Take gRPC's number and a sentence."""
        super().__init__(message)
        self.code = code


class UntrustedError(C1Error):
    """Whoever answers has no certificate that is trusted; waiting does not mend that."""


class ReadError(ConnectorError):
    """The users could not be read whole."""


class CancelledError(ConnectorError):
    """C1, or whoever runs this, wants the work no more."""

    code = CANCELLED
