"""Lines that are JSON, lines that nearly are, and lines that are refused without repeating what they say."""

import io
import json
from typing import Any, cast

import pytest

from target_c1.blocks import Blocks
from target_c1.errors import InputError
from target_c1.lines import LineReader
from target_c1.messages import encode_resource
from target_c1.repairs import MAX_DEPTH
from target_c1.rows import RowMaker


def line_reader() -> LineReader:
    """A reader that takes no blocks: there is no line that a block would begin with."""
    reader = LineReader()
    reader.blocks = Blocks(RowMaker({}, encode_resource))
    return reader


def read(*values: bytes) -> tuple[list[Any], LineReader]:
    """What comes out of lines with these texts in the place of a value."""
    reader = line_reader()
    found: list[Any] = []
    lines = io.BytesIO(b"".join(b'{"type":"RECORD","stream":"s","record":{"v":%s}}\n' % value for value in values))
    reader.process_lines(cast("Any", lines), {"RECORD": lambda message: found.append(message["record"]["v"])})
    return found, reader


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [
        (b'"plain"', "plain", 0),
        (b'"\\ud83d\\ude00"', "😀", 0),
        ("😀".encode(), None, None),
        ('"😀"'.encode(), "😀", 0),
        (b'"a\\ud800b"', "a\ufffdb", 1),
        (b'"a\\ud800"', "a\ufffd", 1),
        (b'"\\udc00\\ud800"', "\ufffd\ufffd", 2),
        (b'"a\xed\xa0\x80b"', "a\ufffdb", 1),
        (b'"a\\u0000b"', "a\ufffdb", 1),
        (b'"a\\\\u0000b"', "a\\u0000b", 0),
        (b'{"\\ud800":{"\\u0000":["\\udfff"]}}', {"\ufffd": {"\ufffd": ["\ufffd"]}}, 3),
        (b"NaN", None, 1),
        (b"[Infinity,-Infinity,NaN]", [None, None, None], 3),
        (b"9007199254740993", 9007199254740993, 0),
        (b"123456789012345678901234567890", 123456789012345678901234567890, 0),
        (b"1e999", "1e999", 1),
        (b"1" * 5000, "1" * 5000, 1),
        (b"-0", 0, 0),
        (b"1.0", 1.0, 0),
        (b'{"a":1,"a":2}', {"a": 2}, 0),
    ],
)
def test_values(text: bytes, value: Any, repairs: int | None) -> None:
    if repairs is None:
        with pytest.raises(InputError):
            read(text)
        return
    found, reader = read(text)
    assert found == [value]
    assert reader.repairs.total() == repairs


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_beyond_what_python_can_follow_becomes_text(opening: bytes, closing: bytes) -> None:
    depth = 100_000
    found, reader = read(opening * depth + b'"]}"' + closing * depth)
    value, levels = found[0], 0
    while not isinstance(value, str):
        value = value["a"] if isinstance(value, dict) else value[0]
        levels += 1
    assert levels == MAX_DEPTH - 2  # the message and the record are levels too
    assert value.encode() == opening * (depth - levels) + b'"]}"' + closing * (depth - levels)
    assert reader.repairs.total() == 1


def test_nesting_that_python_can_follow_is_left_alone() -> None:
    text = b"[" * 500 + b"]" * 500
    found, reader = read(text)
    assert json.dumps(found[0]).encode() == text
    assert reader.repairs.total() == 0


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"RECORD","stream":"s","record":{"v":"Secret Person"',
        b"Secret Person\n",
        b'{"type":"RECORD"} Secret Person\n',
        b'{"type":"RECORD","v":"Secret Person\xff"}\n',
        b"\n",
        b'["Secret Person"]\n',
        b'{"kind":"Secret Person"}\n',
        b'{"type":["Secret Person"]}\n',
        b"null\n",
    ],
)
def test_a_line_that_is_no_message_is_named_by_number_only(line: bytes) -> None:
    reader = line_reader()
    first = b'{"type":"RECORD"}\n'
    with pytest.raises(InputError) as raised:
        reader.process_lines(cast("Any", io.BytesIO(first + line)), {"RECORD": lambda _: None})
    assert "Line 2" in str(raised.value)
    assert "Secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_messages_are_counted_and_unknown_ones_ignored() -> None:
    reader = line_reader()
    lines = b'{"type":"LOG"}\n{"type":"STATE"}\n{"type":"LOG"}\n{"type":"STATE"}'
    seen: list[Any] = []
    counts = reader.process_lines(cast("Any", io.BytesIO(lines)), {"STATE": seen.append})
    assert (len(seen), counts["STATE"]) == (2, 2)
    assert reader.repairs["messages of unknown type 'LOG' ignored"] == 2
