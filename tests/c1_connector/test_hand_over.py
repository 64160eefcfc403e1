"""Users handed over as they are decoded make the rows that a tap's lines make, however odd the identities are."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1_connector.hand_over import HandOver
from target_c1.run import open_run
from target_c1.settings import Settings
from tests.target_c1.support import activate, blobs_of, fixed_stamp, publish, schema
from tests.target_c1.test_columns import ADDRESSES, LONG, TIMES
from tests.target_c1.test_wire import JSON, TEXTS
from tests.views import Json, View, identity, page

TEXT = {"type": "string"}
IDENTIFIER = {**TEXT, "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}}}
#: Of a trait that identifies, several others that are well known, and one whose schema says a number.
PERSON: Json = {
    "type": "object",
    "properties": {
        "email": {**IDENTIFIER, "format": "email"},
        "emails": {"type": "array", "items": TEXT},
        "first_name": TEXT,
        "last_name": TEXT,
        "employee_id": TEXT,
        "account_type": TEXT,
        "age": {"type": "number"},
    },
}
TRAITS = st.fixed_dictionaries(
    {},
    optional={
        "email": ADDRESSES | TEXTS | st.none(),
        "emails": st.lists(ADDRESSES, max_size=40),
        "first_name": TEXTS | LONG | st.none(),
        "last_name": TEXTS | LONG | st.none(),
        "employee_id": TEXTS | st.integers(),
        "account_type": st.sampled_from(["service", "human", "gold"]),
        "age": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
        "schema_id": TEXTS,
        "more": JSON | st.just("x" * 300_000),
    },
)
FIELDS = st.fixed_dictionaries(
    {"state": st.sampled_from(["active", "inactive", "odd", None])},
    optional={
        "created_at": TIMES | TEXTS | st.none(),
        "state_changed_at": TIMES,
        "external_id": TEXTS | st.none(),
        "schema_id": st.sampled_from(["default", "unknown"]),
        "verifiable_addresses": st.lists(
            st.builds(
                lambda value, verified: {"value": value, "via": "email", "verified": verified}, ADDRESSES, st.booleans()
            ),
            max_size=3,
        ),
        "credentials": st.sampled_from([{}, {"totp": {"identifiers": ["x"]}}, {"oidc": {"identifiers": ["github:1"]}}]),
    },
)
IDENTITIES = st.lists(st.tuples(TRAITS | JSON, FIELDS), min_size=1, max_size=4)


def rows_of_both(bodies: list[bytes], form: str, directory: Path, **config: Any) -> tuple[bytes, bytes]:
    """The file that the connector makes of some pages, and that of the lines which the tap makes of them."""
    view = View("users", {"default": PERSON}, **config)
    handed, lines = directory / f"handed.{form}", directory / f"lines.{form}"
    with open_run(Settings.from_config({"path": str(handed), "min_users": 0}), fixed_stamp()) as run:
        users = HandOver(run, "users")
        for body in bodies:
            users.give(view.decoder, view.decoder.rows(body))
        run.publish(run.maker.readers["users"].tally)
    messages = [
        line.replace(b"{", b'{"version":1,', 1)
        for body in bodies
        for line in view.block(body).splitlines(keepends=True)
    ]
    publish([schema(), *messages, activate()], lines, fixed_stamp(), min_users=0)
    return handed.read_bytes(), lines.read_bytes()


@given(IDENTITIES, st.sampled_from([False, True, "exact"]))
@settings(max_examples=60)
def test_any_identities(odd: list[tuple[Any, Json]], metadata: Any) -> None:
    body = page(*(identity(traits, **{"id": f"id-{number}", **fields}) for number, (traits, fields) in enumerate(odd)))
    with tempfile.TemporaryDirectory() as directory:
        handed, lines = rows_of_both([body, body], "c1z", Path(directory), credential_metadata=metadata)
    assert handed == lines


@pytest.mark.parametrize("form", ["c1z", "csv", "json"])
def test_usual_identities_in_every_format(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Ann", "Łukasz", "محمد", "美咲 😀", "O'Brien"]
    people = [
        identity(
            {"email": f"a{number}@b.c", "first_name": names[number % 5], "age": number},
            id=f"id-{number}",
            state="active",
        )
        for number in range(40)
    ]
    if form == "c1z":
        # Nobody of them needs a look of his own.
        monkeypatch.setattr("target_c1.run.Run.add_records", None)
    handed, lines = rows_of_both([page(*people)], form, tmp_path)
    assert handed == lines
    assert form != "c1z" or len(blobs_of(tmp_path / "handed.c1z", tmp_path)) == 40
