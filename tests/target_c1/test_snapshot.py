"""Which inputs are one whole read, and which are refused with the file that was there left alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from target_c1.errors import InputError, SettingsError, TargetC1Error
from tests.interrupted import Interrupted
from tests.target_c1.protobuf import new
from tests.target_c1.support import (
    Message,
    activate,
    blobs_of,
    publish,
    record,
    schema,
    state,
    user,
    users_read,
    whole_read,
)


def ids_in(path: Path, tmp_path: Path) -> list[str]:
    return [new("Resource").FromString(blob).id.resource[-2:] for blob in blobs_of(path, tmp_path)]


def rows(*numbers: int, stream: str = "users", version: int | None = 1) -> list[Message]:
    return [record(user(number), stream, version) for number in numbers]


WHOLE: dict[str, list[Message]] = {
    "a read": [schema(), *rows(0, 1, 2), activate(), state()],
    "nothing after the activation": [schema(), *rows(0, 1, 2), activate()],
    "activations before the records too": [schema(), activate(), *rows(0, 1, 2), activate()],
    "records without version": [schema(), *rows(0, 1, 2, version=None), activate(version=7)],
    "the schema once more": [schema(), *rows(0), schema(), *rows(1, 2), activate()],
    "states between": [schema(), *rows(0), state(a=1), *rows(1, 2), activate(), state()],
    "other streams between": [
        schema("orders"),
        schema(),
        *rows(0, 1),
        *rows(8, 9, stream="orders"),
        *rows(2),
        activate(),
        *rows(7, stream="orders"),
        activate("orders"),
    ],
    "users and then identities": [
        schema(),
        schema("identities"),
        *rows(0, 1, 2),
        *rows(8, stream="identities"),
        activate(),
    ],
    "identities and then users": [
        schema("identities"),
        *rows(8, stream="identities"),
        schema(),
        *rows(0, 1, 2),
        *rows(9, stream="identities"),
        activate(),
        activate("identities"),
    ],
    "a read that was begun again": [schema(), *rows(0, 9), *rows(0, 1, 2, version=2), activate(version=2)],
    "two whole reads": [schema(), *rows(7, 8), activate(), *rows(0, 1, 2, version=2), activate(version=2)],
    "a state of a read that was not resumed": [
        state(users={"snapshot": {"resumed": False}}),
        schema(),
        *rows(0, 1, 2),
        activate(),
    ],
    "what is left of a stream that is not selected any more": [
        state(identities={"snapshot": {"version": 7, "resumed": True}}, users={}),
        schema(),
        *rows(0, 1, 2, version=9),
        activate(version=9),
        state(identities={"snapshot": {"version": 7, "resumed": True}}, users={"finished": {"0": 9}}),
    ],
    "the same where no record has a version": [
        state(identities={"snapshot": {"version": 7, "resumed": True}}),
        schema(),
        *rows(0, 1, 2, version=None),
        activate(version=9),
    ],
    "what is left of a read that was not gone on with": [
        state(users={"snapshot": {"version": 7, "resumed": True}}),
        schema(),
        state(users={"snapshot": {"version": 7, "resumed": True}}),
        *rows(0, 1, 2, version=9),
        state(users={"snapshot": {"version": 9}}),
        activate(version=9),
    ],
    "a resumed read and then a whole one": [
        schema(),
        state(users={"snapshot": {"version": 7, "resumed": True}}),
        *rows(8, version=7),
        *rows(0, 1, 2, version=9),
        activate(version=9),
    ],
    "another stream resumed": [state(orders={"snapshot": {"resumed": True}}), schema(), *rows(0, 1, 2), activate()],
}


@pytest.mark.parametrize("messages", WHOLE.values(), ids=WHOLE)
def test_a_whole_read_is_published(messages: list[Message], tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(messages, path)
    assert ids_in(path, tmp_path) == ["00", "01", "02"]


BROKEN: dict[str, tuple[str, list[Message]]] = {
    "nothing at all": ("holds no stream", []),
    "states alone": ("holds no stream", [state(), state()]),
    "no activation": ("not complete", [schema(), *rows(0, 1, 2), state()]),
    "only an activation before": ("not complete", [schema(), activate(), *rows(0, 1, 2), state()]),
    "a record after the activation": ("not complete", [schema(), *rows(0, 1), activate(), *rows(2), state()]),
    "another stream's activation": ("not complete", [schema(), *rows(0, 1, 2), activate("orders"), state()]),
    "another version's activation": ("not complete", [schema(), *rows(0, 1, 2), activate(version=2), state()]),
    "an older version's activation": ("not complete", [schema(), *rows(0, 1, 2, version=2), activate(), state()]),
    "begun again and cut": ("not complete", [schema(), *rows(0, 1), activate(), *rows(0, version=2), state()]),
    "users cut, identities whole": (
        "not complete",
        [schema(), schema("identities"), *rows(0), *rows(0, 1, stream="identities"), activate("identities")],
    ),
    "versions mixed": ("two reads", [schema(), *rows(0, version=2), *rows(1, version=1), activate(version=2)]),
    "versions here and there": ("two reads", [schema(), *rows(0), *rows(1, version=None), activate()]),
    "no schema": ("before its SCHEMA", [*rows(0), activate()]),
    "only other streams": ("No mapping for 'orders'", [schema("orders"), *rows(0, stream="orders")]),
    "batches": ("BATCH", [schema(), {"type": "BATCH", "stream": "users", "encoding": {}, "manifest": []}]),
    "a record without a record": ("without a stream or a record", [schema(), {"type": "RECORD", "stream": "users"}]),
    "a schema without a stream": ("names no stream", [{"type": "SCHEMA", "schema": {}}]),
}


@pytest.mark.parametrize(("says", "messages"), BROKEN.values(), ids=BROKEN)
def test_anything_else_is_refused(says: str, messages: list[Message], tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    path.write_bytes(b"the old file")
    with pytest.raises(InputError, match=says):
        publish(messages, path, force=True)
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


RESUMED = {"version": 1, "started_at": "2026-01-01T00:00:00Z", "resumed": True}


@pytest.mark.parametrize("stream", ["users", "identities"])
@pytest.mark.parametrize("place", [0, 1, 2, 5])
def test_a_resumed_read_is_refused_even_if_it_is_activated(place: int, stream: str, tmp_path: Path) -> None:
    messages = users_read(3)
    messages.insert(place, state(**{stream: {"snapshot": RESUMED}}))
    with pytest.raises(InputError, match="Run the tap without its state"):
        publish(messages, tmp_path / "users.c1z")


@pytest.mark.parametrize("version", [1, None])
def test_a_resumed_read_is_refused_under_the_name_that_a_stream_map_gave_it(
    version: int | None, tmp_path: Path
) -> None:
    begun = [schema("people"), state(users={"snapshot": RESUMED})]
    messages = [*begun, *rows(0, 1, stream="people", version=version), state(users={})]
    if version:
        messages.append(activate("people"))
    settings: dict[str, Any] = {"stream": "people", "mapping": {"id": "/id"}}
    settings["require_activate_version"] = version is not None
    with pytest.raises(InputError, match="Run the tap without its state"):
        publish(messages, tmp_path / "users.c1z", **settings)


@pytest.mark.parametrize("names", [("identities",), ("users",)])
def test_what_the_tap_still_has_of_a_resumed_read_of_more_streams_does_no_harm(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "users.c1z"
    with Interrupted() as cut:
        for bookmark in cut.state["bookmarks"].values():
            bookmark["snapshot"]["resumed"] = True
        output, _ = cut.resumed(*names)
    publish([json.loads(line) for line in output.splitlines()], path)
    assert len(blobs_of(path, tmp_path)) == 200


@pytest.mark.parametrize("versions", [[], [1]])
def test_a_resumed_read_that_has_nobody_left_is_refused(versions: list[int], tmp_path: Path) -> None:
    """Its activation alone would publish nobody."""
    messages = [schema(), state(users={"snapshot": RESUMED}), *(activate(version=version) for version in versions)]
    with pytest.raises(InputError, match="Run the tap without its state"):
        publish(messages, tmp_path / "users.c1z", min_users=0, require_activate_version=False)


def test_a_cut_run_leaves_the_runner_with_the_state_from_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A runner resumes the tap from what the target printed, so a resumed read never follows a cut one by itself."""
    path = tmp_path / "users.c1z"
    publish(users_read(3), path)
    assert capsys.readouterr().out == '{"bookmarks": {"users": {}}}\n'
    cursor = state(users={"snapshot": {"version": 2, "cursor": "00000000-0000-4000-8000-000000000001"}})
    with pytest.raises(InputError):
        publish([schema(), *rows(0, 1, version=2), cursor], path)
    assert capsys.readouterr().out == ""
    publish([schema(), *rows(0, 1, 2, 3, version=2), activate(version=2), state(users={"whole": 2})], path)
    assert capsys.readouterr().out == '{"bookmarks": {"users": {"whole": 2}}}\n'
    assert ids_in(path, tmp_path) == ["00", "01", "02", "03"]


def test_no_state_is_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish([schema(), *rows(0), activate()], tmp_path / "users.c1z")
    assert capsys.readouterr().out == ""


def test_the_state_is_passed_on_unchanged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = {"bookmarks": {"größe": [2**80, 1.5, None, "\u2028"]}, "other": True}
    publish([*users_read(2), {"type": "STATE", "value": value}], tmp_path / "users.c1z")
    assert json.loads(capsys.readouterr().out) == value


WITHOUT_ACTIVATION: dict[str, tuple[bool, list[Message]]] = {
    "no states": (True, [schema(), *rows(0, 1)]),
    "a state at the end": (True, [schema(), *rows(0), state(), *rows(1), state()]),
    "a state and then records": (False, [schema(), *rows(0), state(), *rows(1)]),
    "nothing": (False, []),
}


@pytest.mark.parametrize(("whole", "messages"), WITHOUT_ACTIVATION.values(), ids=WITHOUT_ACTIVATION)
def test_taps_that_never_activate(whole: bool, messages: list[Message], tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / "users.c1z"
    if whole:
        publish(messages, path, require_activate_version=False)
        assert ids_in(path, tmp_path) == ["00", "01"]
    else:
        with pytest.raises(InputError):
            publish(messages, path, require_activate_version=False)
        assert not path.exists()


def test_any_stream_with_a_mapping(tmp_path: Path) -> None:
    people: list[dict[str, Any]] = [
        {"key": 1, "mail": "a@b.cc", "who": {"n": "Ada"}},
        {"key": 2, "mail": None, "who": None},
    ]
    mapping: dict[str, Any] = {"id": "/key", "email": "/mail", "display_name": "/who/n", "status": "enabled"}
    path = tmp_path / "users.c1z"
    publish(whole_read(people, "people"), path, stream="people", mapping=mapping)
    first, second = [new("Resource").FromString(blob) for blob in blobs_of(path, tmp_path)]
    assert (first.id.resource, first.display_name, first.status.status) == ("1", "Ada", 1)
    assert (second.id.resource, second.display_name) == ("2", "2")
    assert dict(first.profile.items()) == {"key": 1, "mail": "a@b.cc", "user_id": "1"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"stream": "people"}, "'people' has no ready-made mapping"),
        ({"stream": "people", "mapping": {"email": "/x"}}, "mapping.id"),
        ({"mapping": {"emial": "/x"}}, "'email'"),
    ],
)
def test_settings_that_cannot_be_right(settings: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=says):
        publish(users_read(1), tmp_path / "users.c1z", **settings)
    assert not list(tmp_path.iterdir())


def test_a_mapping_without_a_stream_is_for_users(tmp_path: Path) -> None:
    publish(users_read(1), tmp_path / "users.c1z", mapping={"display_name": "/external_id"})
    assert new("Resource").FromString(blobs_of(tmp_path / "users.c1z", tmp_path)[0]).display_name == "hr-0"
    with pytest.raises(TargetC1Error, match="'users' would be read"):
        publish(whole_read([user(1)], "people"), tmp_path / "users.c1z", mapping={"email": "/x"})
