"""Records at hand make the same file as the same records in a tap's lines."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from target_c1.errors import RefusedError
from target_c1.run import open_run
from target_c1.settings import Settings
from tests.target_c1.support import activate, fixed_stamp, publish, schema, user

DEEP = b"[" * 300 + b"]" * 300
BOTTOMLESS = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
RECORDS: list[bytes] = [
    *(json.dumps(user(number)).encode() for number in range(3)),
    json.dumps(user(3, email="nobody", emails=["x@", 7])).encode(),
    json.dumps(user(4, id=None)).encode(),
    json.dumps(user(5, profile="odd")).encode().replace(b'"odd"', b'{"deep":%s,"large":%d}' % (DEEP, 2**70)),
    json.dumps(user(6, profile="odd")).encode().replace(b'"odd"', b'{"a":1e999,"b":NaN,"c":"x\\u0000y"}'),
    json.dumps(user(7, profile="odd")).encode().replace(b'"odd"', BOTTOMLESS),
    json.dumps(user(1, display_name="Once more")).encode(),
]


def run_on(records: list[Any], path: Path, **settings: Any) -> None:
    with open_run(Settings.from_config({"path": str(path), **settings}), fixed_stamp()) as run:
        run.add_records("users", records)
        run.publish(run.maker.readers["users"].tally)


@pytest.mark.parametrize("form", ["c1z", "csv", "json"])
def test_the_file_and_the_closing_line_are_those_of_the_lines(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="target-c1")
    run_on([msgspec.Raw(each) for each in RECORDS], tmp_path / "records", format=form)
    lines = [b'{"type":"RECORD","stream":"users","version":1,"record":%s}\n' % each for each in RECORDS]
    publish([schema(), *lines, activate()], tmp_path / "lines", fixed_stamp(), format=form)
    assert (tmp_path / "records").read_bytes() == (tmp_path / "lines").read_bytes()
    told = [line.split(" users/s).", 1)[1] for line in caplog.messages if line.startswith("Published ")]
    assert len(told) == 2
    assert told[0] == told[1] != ""


def test_what_is_not_published_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "users.c1z").write_bytes(b"as it was")
    with open_run(Settings.from_config({"path": str(tmp_path / "users.c1z")})) as run:
        run.add_records("users", [user(1)])
    with pytest.raises(RefusedError):
        run_on([], tmp_path / "users.c1z")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"as it was"]


def test_the_core_knows_no_singer() -> None:
    script = "import sys, target_c1.run; print([n for n in ('singer_sdk', 'click') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
