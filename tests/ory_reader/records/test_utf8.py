"""Bytes that are no UTF-8 are found wherever they lie: within a piece of the page, and across its borders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.records import decoder
from ory_reader.records.decoder import PIECE_BYTES, _is_utf8

CHARACTERS = ["é", "ж", "€", "\u2028", "😀", "\U0010ffff"]
#: Cut short, continued without a beginning, overlong, half of a surrogate pair, beyond Unicode.
BROKEN = [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xa9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff"]


def says_python(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("part", [*(each.encode() for each in CHARACTERS), *BROKEN])
def test_at_each_place_around_the_border_of_a_piece(part: bytes) -> None:
    for before in range(PIECE_BYTES - 5, PIECE_BYTES + 2):
        for after in (b"", b"a" * 5, b"a" * 3 * PIECE_BYTES):
            text = b"a" * before + part + after
            assert _is_utf8(text) == says_python(text) == (part not in BROKEN)


@given(st.lists(st.sampled_from([*(each.encode() for each in CHARACTERS), *BROKEN, b"a", b'"'])), st.integers(4, 9))
def test_as_python_says(parts: list[bytes], size: int) -> None:
    text = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder, "PIECE_BYTES", size)
        assert _is_utf8(text) == says_python(text)
