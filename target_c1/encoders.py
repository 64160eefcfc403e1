"""How a user is one row of each format: a C1 message, a line of CSV, an object of JSON.

Knows nothing of files.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from target_c1.messages import encode_resource
from target_c1.users import ACCOUNT_TYPE_NAMES, STATUS_NAMES
from target_c1.values import count_texts
from target_c1.wire import MAX_EXACT_INTEGER

if TYPE_CHECKING:
    from target_c1.rows import Encode
    from target_c1.users import User
    from target_c1.values import Moment

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: What a spreadsheet may take for a formula's first character, or skip before it; the last four are the wide forms of
#: the first four, which spreadsheets in East Asian languages read alike.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: The File connector's columns that need no mapping in C1.
CSV_COLUMNS = (
    "User ID",
    "Email Address",
    "Username",
    "First Name",
    "Last Name",
    "Full Name",
    "User Status",
    "User Type",
    "Last Login",
)


def encode_csv(user: User, changed: dict[str, int] | None = None) -> bytes:  # noqa: ARG001 - holds no profile
    """Return the user's line."""
    return csv_line(
        (
            user.id,
            user.emails[0] if user.emails else "",
            user.login or "",
            user.first_name or "",
            user.last_name or "",
            user.display_name,
            STATUS_NAMES[user.status] if user.status else "",
            ACCOUNT_TYPE_NAMES[user.account_type].capitalize() if user.account_type else "",
            _time(user.last_login) or "",
        )
    )


def csv_line(cells: tuple[str, ...]) -> bytes:
    """Return a line of the table.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front, and so does one that begins with
    apostrophes and then looks like that: taking one apostrophe away from either gives back what was put in.
    """
    line = io.StringIO()
    # With both characters in the line's end, the writer quotes cells that hold either.
    csv.writer(line, lineterminator="\r\n").writerow([_guard(cell) for cell in cells])
    return line.getvalue().encode()


def _is_guarded(cell: str) -> bool:
    return cell.lstrip("'")[:1] in _FORMULA_STARTS


def _guard(cell: str) -> str:
    return f"'{cell}" if _is_guarded(cell) else cell


def unguard(cell: str) -> str:
    """Return what was put into a cell."""
    return cell[1:] if cell.startswith("'") and _is_guarded(cell) else cell


def encode_json(user: User, changed: dict[str, int] | None = None) -> bytes:
    """Return the user's object; what is unknown is left out, what of its profile becomes text counted in `changed`.

    Raises:
        RecursionError: if the profile is nested deeper than Python can follow.
    """
    texts: list[Any] = []
    profile = _exact(user.profile, texts)
    if texts and changed is not None:
        count_texts(changed, texts)
    fields: dict[str, Any] = {
        "id": user.id,
        "display_name": user.display_name,
        "email": user.emails[0] if user.emails else None,
        "additional_emails": user.emails[1:],
        "status": STATUS_NAMES[user.status] if user.status else None,
        "status_details": user.status_details,
        "type": ACCOUNT_TYPE_NAMES[user.account_type] if user.account_type else None,
        "login": user.login,
        "login_aliases": user.login_aliases,
        "employee_id": user.employee_ids[0] if user.employee_ids else None,
        "last_login": _time(user.last_login),
        "mfa_enabled": user.mfa_enabled,
        "sso_enabled": user.sso_enabled,
        "profile": profile,
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value not in (None, [])})


def _time(moment: Moment | None) -> str | None:
    return f"{(_EPOCH + timedelta(seconds=moment[0])).isoformat()[:19]}Z" if moment else None


def _exact(value: Any, texts: list[Any]) -> Any:
    """Return JSON in which the integers that a double would change are texts, as in a .c1z, and are in `texts` too."""
    if isinstance(value, dict):
        return {name: _exact(item, texts) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item, texts) for item in value]
    if isinstance(value, int) and not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        texts.append(value)
        return str(value)
    return value


#: By the name of the format.
ENCODERS: dict[str, Encode] = {"c1z": encode_resource, "csv": encode_csv, "json": encode_json}
