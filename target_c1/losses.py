"""What is lost where raw identities are mapped: they are read without the project's identity schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_c1.mapping import Source

#: What the ready-made mapping of `identities` cannot tell as the stream `users` does, and the fields of a mapping of
#: one's own that make up for it.
_LOST = {
    "account types": ("account_type",),
    "names": ("display_name", "first_name", "last_name"),
    "logins": ("login", "identifiers"),
    "second factors": ("mfa_enabled",),
}


def warn_of_losses(stream: str | None, given: dict[str, Source] | None) -> str | None:
    """Return what is lost in `stream` and how not to lose it, or None; `given` is the setting mapping."""
    lost = [title for title, fields in _LOST.items() if not any(field in (given or {}) for field in fields)]
    if stream != "identities" or not lost:
        return None
    return (
        f"These users come from the stream 'identities', where {', '.join(lost)} are guessed by well-known names or "
        "left open: let the tap select 'users' instead, which has them as the identity schemas say (tap-ory --select "
        "users, or meltano run tap-ory-users target-c1)."
    )
