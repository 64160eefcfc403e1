"""Lines taken in blocks, and their records in columns, come out as if each had been read by itself."""

import io
import json
import os
import random
from pathlib import Path
from typing import Any, cast

import pytest

from target_c1 import blocks
from target_c1.errors import InputError
from target_c1.target import TargetC1
from tests.target_c1.support import (
    Message,
    activate,
    blobs_of,
    fixed_stamp,
    publish,
    record,
    schema,
    state,
    to_lines,
    user,
    users_read,
)

MANY = 2 * blocks.BLOCK_LINES + 2


def one_by_one(messages: list[Message | bytes], path: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(blocks.Blocks, "begin", lambda *_: None)
        publish(messages, path, fixed_stamp(), **settings)


def rows(numbers: range, **message: Any) -> list[Message | bytes]:
    return [record(user(number), **message) for number in numbers]


NAN = to_lines([record(user(99_999, profile={"n": float("nan")}))])
#: Written with the keys in another order, with other spaces, and with a version that comes last.
SINGER = (
    b'{"record": %s, "stream": "users", "type": "RECORD", "version": 1}\n'
    % json.dumps(user(88_888, display_name="turned")).encode()
)
INPUTS: dict[str, list[Message | bytes]] = {
    "plain": [schema(), *rows(range(MANY)), activate(), state()],
    "a line to repair in the first block": [
        schema(),
        *rows(range(100)),
        NAN,
        *rows(range(100, 3 * MANY)),
        activate(),
    ],
    "a line to repair in the second block": [
        schema(),
        *rows(range(700)),
        NAN,
        *rows(range(700, 3 * MANY)),
        activate(),
    ],
    "lines to repair here and there": [
        schema(),
        *(each for number in range(MANY) for each in (*rows(range(number, number + 1)), NAN)),
        activate(),
    ],
    "a state after every few": [
        schema(),
        *(each for number in range(0, MANY, 9) for each in (*rows(range(number, number + 9)), state(a=number))),
        activate(),
    ],
    "begun again in a block": [
        schema(),
        *rows(range(700)),
        *rows(range(600, MANY + 600), version=2),
        activate(version=2),
    ],
    "begun again at a block's end": [
        schema(),
        *rows(range(1 + 2 * blocks.BLOCK_LINES)),
        *rows(range(600, MANY + 600), version=2),
        activate(version=2),
    ],
    "identities and then users": [
        schema("identities"),
        *rows(range(700), stream="identities"),
        schema(),
        *(
            each
            for number in range(MANY)
            for each in (*rows(range(number, number + 1)), record(user(number), stream="identities"))
        ),
        activate(),
    ],
    "keys in another order": [schema(), *rows(range(600)), SINGER, *rows(range(600, MANY)), activate()],
    "only keys in another order": [schema(), *[SINGER.replace(b"88888", b"%05d" % n) for n in range(MANY)], activate()],
    "repeated": [schema(), *rows(range(MANY)), *rows(range(0, MANY, 3)), activate()],
    "odd": [
        schema(),
        *(record(user(n, email="nobody", emails=["x@", 7], id=None if n % 7 == 0 else str(n))) for n in range(MANY)),
        activate(),
    ],
    "versions beyond 64 bits": [schema(), *rows(range(MANY), version=2**70), activate(version=2**70)],
    "without versions": [schema(), *rows(range(MANY), version=None), activate()],
    "enormous lines": [schema(), *(record(user(n, profile={"t": "x" * 1_500_000})) for n in range(12)), activate()],
}


@pytest.mark.parametrize(
    ("name", "form"), [*((name, "c1z") for name in INPUTS), ("odd", "csv"), ("odd", "json"), ("repeated", "json")]
)
def test_the_file_and_the_tally_are_the_same(
    name: str,
    form: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def closing_line() -> str:
        line = caplog.messages[-1]
        assert line.startswith("Published ")
        caplog.clear()
        return line.split(" users/s).", 1)[1]

    caplog.set_level("INFO")
    publish(INPUTS[name], tmp_path / "blocks", fixed_stamp(), format=form)
    in_blocks = closing_line()
    one_by_one(INPUTS[name], tmp_path / "single", monkeypatch, format=form)
    assert (tmp_path / "blocks").read_bytes() == (tmp_path / "single").read_bytes()
    assert in_blocks == closing_line()


BROKEN = {
    "a broken line": (b'{"type": "RECORD", "stream": "users", "record": {"id": "Secret"\n', "Line {} of the input"),
    "an older version": (to_lines([record(user(1), version=0)]), "two reads"),
    "no record": (b'{"type": "RECORD", "stream": "users", "record": 7}\n', "without a stream or a record"),
    "a resumed read": (to_lines([state(users={"snapshot": {"resumed": True}})]), "Run the tap without its state"),
}


@pytest.mark.parametrize("place", [1, 501, 502, 800, 1002, 1600])
@pytest.mark.parametrize(("line", "says"), BROKEN.values(), ids=BROKEN)
def test_what_is_refused_is_refused_with_its_number(line: bytes, says: str, place: int, tmp_path: Path) -> None:
    messages: list[Message | bytes] = [schema(), *rows(range(1600)), activate()]
    messages.insert(place + 1, line)
    with pytest.raises(InputError) as raised:
        publish(messages, tmp_path / "users.c1z")
    assert says.format(place + 2) in str(raised.value)
    assert "Secret" not in str(raised.value)


def test_a_block_made_for_a_version_that_the_block_before_it_ended_is_refused(tmp_path: Path) -> None:
    # The first record is read by itself; the first block's last line begins a new read, the second block is old.
    end = 1 + blocks.BLOCK_LINES
    messages = [
        schema(),
        *rows(range(end - 1)),
        record(user(end), version=2),
        *rows(range(end, end + blocks.BLOCK_LINES)),
        activate(version=2),
    ]
    with pytest.raises(InputError, match="two reads"):
        publish(messages, tmp_path / "users.c1z")


def test_any_mixture_of_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_LINES", 4)
    dice = random.Random(6)
    for _ in range(10):
        version = 1
        messages: list[Message | bytes] = [schema("identities"), schema()]
        for _ in range(150):
            number = dice.randrange(60)
            version += dice.random() < 0.01
            lines: list[Message | bytes] = [
                record(user(number, display_name=str(dice.random())), version=version),
                record(user(number), stream="identities"),
                to_lines([record(user(number, profile={"x": float("inf")}), version=version)]),
                schema(),
                state(a=1),
                b'{"type": "LOG"}\n',
            ]
            messages += dice.choices(lines, [40, 3, 1, 1, 1, 1])
        messages += [record(user(1), version=version), activate(version=version)]
        publish(messages, tmp_path / "blocks", fixed_stamp(), format="c1z", max_drop_percent=100)
        one_by_one(messages, tmp_path / "single", monkeypatch, format="c1z", max_drop_percent=100)
        assert (tmp_path / "blocks").read_bytes() == (tmp_path / "single").read_bytes()


def test_a_target_can_be_used_twice(tmp_path: Path) -> None:
    target = TargetC1(config={"path": str(tmp_path / "users.c1z")})
    for _ in range(2):
        with target.opened():
            target.listen(cast("Any", io.BytesIO(to_lines(users_read(MANY)))))
    assert len(blobs_of(tmp_path / "users.c1z", tmp_path)) == MANY
    assert os.listdir(tmp_path) == ["users.c1z"] or "unpacked.sqlite" in os.listdir(tmp_path)  # noqa: PTH208
