"""The sentence at the end of a read: each number is the server's own, and the conclusion what the output says."""

import logging
import re
from typing import Any
from unittest import mock

import pytest

from command_basics.signals import Terminated
from ory_reader.errors import TapOryError
from ory_sandbox import Sandbox
from tests.command import records, sync
from tests.faults.sandbox import FaultySandbox
from tests.interrupted import Interrupted, both

SENTENCE = re.compile(
    r"Read (?P<rows>[\d,]+) (?P<more>more )?identities in [\d,.]+ s with (?P<requests>[\d,]+) requests?"
    r"(?: \((?P<refused>\d+) refused with 429\))?, (?:(?P<waited>[\d,.]+) s of waiting|no wait) for rate limits: "
    r"(?P<conclusion>.+)\."
)


def told(log: pytest.LogCaptureFixture) -> dict[str, str | None]:
    """What the one closing sentence says."""
    (sentence,) = (found for found in map(SENTENCE.fullmatch, log.messages) if found)
    return sentence.groupdict()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def changes(*names: str) -> dict[str, Any]:
    """A catalog with these streams selected, the last one for its changes only."""
    catalog = both(*names)
    (stream,) = (each for each in catalog["streams"] if each["stream"] == names[-1])
    stream.update(replication_method="INCREMENTAL", replication_key="changed_at")
    return catalog


@pytest.mark.parametrize(
    ("catalog", "settings", "conclusion"),
    [
        (None, {}, "the version of identities was activated"),
        (both("identities", "users"), {}, "the version of identities and users was activated"),
        (changes("identities", "users"), {}, "the version of identities was activated"),
        (changes("users"), {}, "no version was activated, as only changes were asked for"),
        (
            None,
            {"emit_activate_version_messages": False},
            "no version was activated, as emit_activate_version_messages is off",
        ),
    ],
)
def test_a_whole_read(
    catalog: dict[str, Any] | None, settings: dict[str, Any], conclusion: str, log: pytest.LogCaptureFixture
) -> None:
    with Sandbox(1234) as sandbox:
        output = sync({"base_url": sandbox.url, **settings}, catalog=catalog)
        asked = len(sandbox.requests.log)
    expected = {
        "rows": "1,234",
        "more": None,
        "requests": str(asked),
        "refused": None,
        "waited": None,
        "conclusion": conclusion,
    }
    assert told(log) == expected
    activated = [
        name for name in ("identities", "users") if b'"ACTIVATE_VERSION","stream":"%b"' % name.encode() in output
    ]
    assert (" and ".join(activated) or "no version") in conclusion


def test_waits_for_rate_limits(log: pytest.LogCaptureFixture) -> None:
    faults = [{"do": "status", "status": 429, "retry_after": 1, "at": 2}]
    with FaultySandbox(300, faults=faults) as sandbox:
        sync({"base_url": sandbox.url, "page_size": 100, "concurrency": 1})
        asked = len(sandbox.requests.log)
    found = told(log)
    assert (found["requests"], found["refused"]) == (str(asked), "1")
    assert 1 <= float(found["waited"] or 0) < 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"do": "status", "status": 401, "at": 3}, "the server refused"),
        ({"do": "unreadable", "place": 42, "at": 1}, "the server cannot read some"),
    ],
)
def test_a_read_that_is_not_whole(fault: dict[str, Any], reason: str, log: pytest.LogCaptureFixture) -> None:
    with FaultySandbox(60, faults=[fault]) as sandbox, mock.patch("time.sleep"):
        with pytest.raises(TapOryError):
            sync({"base_url": sandbox.url, "page_size": 10, "concurrency": 1})
        asked = len(sandbox.requests.log)
    found = told(log)
    assert found["conclusion"] == f"no version was activated, as {reason}"
    assert found["requests"] == str(asked)
    assert int(found["rows"] or 0) < 60


def test_a_read_that_goes_on_tells_of_what_was_left(log: pytest.LogCaptureFixture) -> None:
    with Interrupted() as cut:
        log.clear()
        output, _ = cut.resumed("identities", "users")
    found = told(log)
    assert (found["more"], found["rows"]) == ("more ", str(len(records(output)) // 2))
    assert 0 < int(found["rows"] or 0) < 200


def test_a_signal(log: pytest.LogCaptureFixture) -> None:
    ended = mock.patch("ory_reader.sync.full_read.FullRead._finish", side_effect=Terminated(15))
    with Sandbox(60) as sandbox, ended, pytest.raises(Terminated):
        sync({"base_url": sandbox.url})
    assert told(log)["conclusion"] == "no version was activated, as a signal ended the read"
