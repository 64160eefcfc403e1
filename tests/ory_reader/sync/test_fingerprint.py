"""A read that was cut is gone on with only under its own rules: what a record looks like, and which there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from command_basics.signals import Terminated
from ory_reader.config.declaration import UNREACHING
from ory_reader.project import Project
from ory_reader.sync.snapshot import Snapshot, now
from ory_sandbox import Sandbox
from tap_ory.stream import OryStream
from tap_ory.tap import TapOry
from tests.certificates import self_signed
from tests.command import KEY, records, sync, unchanged_signals
from tests.interrupted import both

if TYPE_CHECKING:
    from collections.abc import Callable

DECLARED = TapOry(validate_config=False, setup_mapper=False).config_jsonschema["properties"]
SECRET = {name for name, definition in DECLARED.items() if definition.get("secret")}
PEOPLE = 120
ROOT = Path(__file__).parents[3]


def fingerprint(config: dict[str, Any]) -> str:
    """What the state says of the settings; values need not be right."""
    with unchanged_signals():
        tap = TapOry(config=config, validate_config=False, setup_mapper=False)
    return Snapshot.begin(now(), "", tap.fingerprint()).fields


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_each_setting_is_part_of_it_unless_it_can_reach_no_record(name: str) -> None:
    """The settings are those that are declared, the SDK's among them: a new one is tried as it comes."""
    default = DECLARED[name].get("default")
    values = ["a", "b", 1, 2, True, False, {"a": {"b": "c"}}, {"a": {"b": "d"}}, [1]]
    found = {fingerprint({"base_url": "http://a.example", name: value}) for value in values if value != default}
    expected = 1 if name in UNREACHING | SECRET else len([value for value in values if value != default])
    assert len(found) == expected
    absent, given, null = ({"base_url": "b"}, {"base_url": "b", name: default}, {"base_url": "b", name: None})
    assert fingerprint(absent) == fingerprint(given) == fingerprint(null)


def test_the_settings_of_the_sdk_are_among_those() -> None:
    named = {"stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth"}
    assert named | {"flattening_max_key_length", "user_fields", "account_types"} <= set(DECLARED)


def test_what_is_left_out_changes_no_record(tmp_path: Path) -> None:
    """The truth about the list of exceptions: under other values of each, the very same records come."""
    other: dict[str, Any] = {
        "base_url": None,
        "api_token": "another",
        "ca_bundle": str(self_signed(tmp_path)[0]),
        "request_timeout": 7,
        "user_agent": "somebody/1",
        "concurrency": 1,
        "page_size": 7,
        "oauth2_url": "http://127.0.0.1:1",
        "permissions_url": "http://127.0.0.1:1",
        "console_url": "http://127.0.0.1:1",
        "resume_within": 1,
    }
    # What is shown in TLS alone cannot be tried here: test_tls.py does.
    assert set(other) == UNREACHING - {"client_certificate", "client_key"}
    with Sandbox(PEOPLE) as sandbox:

        def read(**changes: Any) -> list[str]:
            config = {"base_url": sandbox.url, "api_token": KEY, "page_size": 20, **changes}
            return sorted(json.dumps(record) for record in records(sync(config, catalog=both("identities", "users"))))

        first = read()
        assert len(first) == 2 * PEOPLE
        for name, value in other.items():
            changes = {"base_url": f"{sandbox.url}/admin/identities"} if name == "base_url" else {name: value}
            assert read(**changes) == first, name


def test_the_docs_name_what_is_left_out() -> None:
    told = re.search(r"can\s+reach no record \(([^)]*)\)", (ROOT / "docs" / "reading.md").read_text(encoding="utf-8"))
    assert told
    assert set(re.findall(r"`(\w+)`", told[1])) == (UNREACHING | SECRET) - {"base_url"}


class Cut:
    """A read of some streams that was cut under one set of rules, to be gone on with under another."""

    def __init__(self, sandbox: Sandbox, *names: str, state: dict[str, Any] | None = None, **changes: Any) -> None:
        self.config = {"base_url": sandbox.url, "page_size": 20, "concurrency": 1}
        self.catalog = both(*names)
        taps: list[TapOry] = []
        original, left = OryStream.write, iter(range(3))

        def write(stream: OryStream, *given: Any) -> None:
            if next(left, None) is None:
                raise Terminated(15)
            original(stream, *given)

        with mock.patch.object(OryStream, "write", write), pytest.raises(Terminated):
            self._sync(changes, state, taps.append)
        self.state = json.loads(json.dumps(taps[0].state))
        assert "snapshot" in self.state["bookmarks"][names[0]]

    def read_on(self, state: dict[str, Any] | None = None, **changes: Any) -> list[dict[str, Any]]:
        return records(self.output(state, **changes))

    def output(self, state: dict[str, Any] | None = None, **changes: Any) -> bytes:
        return self._sync(changes, state or self.state, lambda tap: None)

    def _sync(
        self, changes: dict[str, Any], state: dict[str, Any] | None, prepare: Callable[[TapOry], object]
    ) -> bytes:
        catalog = changes.pop("catalog", self.catalog)
        return sync({**self.config, **changes}, catalog=catalog, state=state, prepare=prepare)


def mapped(**properties: Any) -> dict[str, Any]:
    return {"stream_maps": {"identities": properties}}


HASHED = mapped(mail="md5(str(traits))")
RULES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another hash": ("identities", HASHED, mapped(mail="sha256(str(traits))")),
    "another filter": ("identities", mapped(__filter__="state != 'active'"), mapped(__filter__="state == 'active'")),
    "a constant of the expressions": (
        "identities",
        {**mapped(mail="md5(config['salt'])"), "stream_map_config": {"salt": "a"}},
        {**mapped(mail="md5(config['salt'])"), "stream_map_config": {"salt": "b"}},
    ),
    "made-up names": (
        "identities",
        {**HASHED, "faker_config": {"seed": 1}},
        {**HASHED, "faker_config": {"seed": 2}},
    ),
    "flattened": ("identities", {}, {"flattening_enabled": True, "flattening_max_depth": 1}),
    "other credentials": ("identities", {"credential_metadata": True}, {"credential_metadata": "exact"}),
    "another field of a user": ("users", {}, {"user_fields": {"employee_id": "/traits/email"}}),
    "another kind of account": ("users", {}, {"account_types": {"default": "service"}}),
    "another name of the project": ("users", {}, {"project_slug": "b"}),
}


@pytest.mark.parametrize(("stream", "before", "after"), RULES.values(), ids=RULES)
def test_under_other_rules_a_read_begins_anew(stream: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    with Sandbox(PEOPLE) as sandbox:
        cut = Cut(sandbox, stream, **before)
        whole = records(sync({**cut.config, **after}, catalog=both(stream)))
        assert 0 < len(cut.read_on(**before)) < len(whole) or "__filter__" in str(before)
        assert sorted(map(repr, cut.read_on(**after))) == sorted(map(repr, whole))


def test_what_was_read_under_other_rules_is_of_another_version() -> None:
    """Within the same second as well: a target would keep it for good."""
    moment = now()
    with Sandbox(PEOPLE) as sandbox, mock.patch("ory_reader.sync.snapshot.now", return_value=moment):
        cut = Cut(sandbox, "identities")
        state = cut.state
        for _ in range(3):
            version = state["bookmarks"]["identities"].get("snapshot", {}).get("version", 0)
            output = cut.output(state, **HASHED)
            messages = [json.loads(line) for line in output.splitlines()]
            (activated,) = (message["version"] for message in messages if message["type"] == "ACTIVATE_VERSION")
            assert {message["version"] for message in messages if message["type"] == "RECORD"} == {activated}
            finished = state["bookmarks"]["identities"].get("finished", {})
            assert activated not in {version, *finished.values()}
            state = messages[-1]["value"]


@pytest.mark.parametrize("part", ["package", "SDK"])
def test_another_version_of_the_program_begins_anew(part: str) -> None:
    name = {"package": "get_plugin_version", "SDK": "get_sdk_version"}[part]
    with Sandbox(PEOPLE) as sandbox:
        cut = Cut(sandbox, "identities")
        with mock.patch.object(TapOry, name, return_value="99.0"):
            assert len(cut.read_on()) == PEOPLE
        assert len(cut.read_on()) < PEOPLE


def test_other_identity_schemas_begin_users_anew_even_with_a_catalog() -> None:
    """The catalog says what traits look like, the identity schemas what they mean."""
    with Sandbox(PEOPLE) as sandbox:
        cut = Cut(sandbox, "users")
        shapes = _tap(cut.config).project.trait_shapes
        assert shapes
        with mock.patch.object(Project, "trait_shapes", dict(reversed(shapes.items()))):
            assert 0 < len(cut.read_on()) < PEOPLE
        (name, shape), *rest = shapes.items()
        fewer = {**dict(rest), name: type(shape)(types=shape.types)}
        with mock.patch.object(Project, "trait_shapes", fewer):
            assert len(cut.read_on()) == PEOPLE


def _tap(config: dict[str, Any]) -> TapOry:
    with unchanged_signals():
        return TapOry(config=config)


def test_what_no_schema_declares_is_deselected_anew() -> None:
    catalog = both("identities")
    deselected = both("identities")
    for stream in deselected["streams"]:
        crumb = ["properties", "metadata_public", "properties", "undeclared"]
        stream["metadata"].append({"breadcrumb": crumb, "metadata": {"selected": False}})
    with Sandbox(PEOPLE) as sandbox:
        cut = Cut(sandbox, "identities", catalog=catalog)
        assert len(cut.read_on(catalog=catalog)) < PEOPLE
        assert len(cut.read_on(catalog=deselected)) == PEOPLE


@pytest.mark.parametrize("change", ["bookmark", "lookback"])
def test_another_beginning_of_the_changes_begins_anew(change: str) -> None:
    catalog = both("identities")
    for stream in catalog["streams"]:
        if stream["stream"] == "identities":
            stream.update(replication_method="INCREMENTAL", replication_key="changed_at")
    bookmark = {"replication_key": "changed_at", "replication_key_value": "2020-01-01T00:00:00Z"}
    with Sandbox(PEOPLE) as sandbox:
        cut = Cut(sandbox, "identities", catalog=catalog, state={"bookmarks": {"identities": bookmark}})
        assert len(cut.read_on(catalog=catalog)) < PEOPLE
        changes, state = {"lookback_seconds": 7} if change == "lookback" else {}, json.loads(json.dumps(cut.state))
        if change == "bookmark":
            state["bookmarks"]["identities"]["replication_key_value"] = "2019-01-01T00:00:00Z"
        assert len(cut.read_on(state, catalog=catalog, **changes)) == PEOPLE


def test_it_is_the_same_in_every_process() -> None:
    """Sets have another order in each."""
    code = (
        "from ory_reader.sync.snapshot import Snapshot, now; from ory_reader.traits.shapes import traits_shape;"
        "shape = traits_shape({'properties': {'traits': {'type': ['string', 'object', 'array', 'boolean']}}});"
        "print(Snapshot.begin(now(), '', {'a': shape}).fields)"
    )
    told = set()
    for seed in "1", "2", "3", "4":
        command, environment = [sys.executable, "-c", code], {"PYTHONHASHSEED": seed}
        told.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(told) == 1
