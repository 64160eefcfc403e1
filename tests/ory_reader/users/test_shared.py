"""Identities and users of one read: what is done once for both changes neither, whatever the traits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.traits.conformer import Conformer
from tests.ory_reader.users.test_users_properties import QUICK, fields, project_settings, projects, traits_values
from tests.views import Json, View, identity, page

SCHEMA = {"default": {"type": "object", "properties": {"email": {"type": "string"}, "n": {"type": "integer"}}}}


def together(project: Json, **config: Any) -> list[View]:
    """The two views as a read of both has them."""
    warned: set[str] = set()
    views = [View(stream, project, warned=warned, **config) for stream in ("identities", "users")]
    for view in views:
        view.decoder.share([each.decoder for each in views])
    return views


@QUICK
@given(
    project=projects,
    pages=st.lists(st.lists(st.tuples(traits_values, fields), min_size=1, max_size=3), min_size=1, max_size=3),
    config=project_settings,
)
def test_a_read_of_both_is_a_read_of_each(project: Json, pages: list[list[Any]], config: Json) -> None:
    views = together(project, **config)
    alone = [View(view.stream, project, **config) for view in views]
    for rows in pages:
        body = page(*(identity(traits, **more) for traits, more in rows))
        for shared, own in zip(views, alone, strict=True):
            assert records_of(shared, body) == records_of(own, body)


def records_of(view: View, body: bytes) -> list[bytes]:
    return [line.partition(b'"time_extracted"')[0] for line in view.block(body).splitlines()]


@pytest.mark.parametrize("email", ['"a@b.c"', "7", '"\\u0000"', "1e400"])
def test_traits_are_looked_at_once(email: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    read = Conformer._read

    def noting(self: Conformer, values: Any, text: bytes) -> Any:
        if self._name == "traits":
            looks.append(text)
        return read(self, values, text)

    monkeypatch.setattr(Conformer, "_read", noting)
    body = page(identity({"email": "x", "n": 1})).replace(b'"x"', email.encode())
    for view in together(SCHEMA):
        view.block(body)
    # For users NUL is taken out of the page before.
    assert len(looks) == (2 if "u0000" in email else 1)
