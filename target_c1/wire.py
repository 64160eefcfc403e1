"""The wire format of Protocol Buffers, as far as a user is written in it by hand: a third cheaper than by the library.

Knows bytes, nothing of C1. Keys of a Struct are sorted, so that the same profile gives the same bytes. What is read
back is read by the library (`decoding`).
Source: the encoding document of Protocol Buffers and the well-known types Struct and Timestamp.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Beyond this magnitude a double no longer holds every integer.
MAX_EXACT_INTEGER = 2**53
#: Levels of a Struct; readers of Protocol Buffers stop at 100 nested messages, and a level takes three.
MAX_STRUCT_DEPTH = 24

_pack_double = struct.Struct("<Bd").pack


def encode_varint(number: int) -> bytes:
    """Return the base-128 varint of a non-negative integer."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte is what a varint is
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_LENGTHS = [encode_varint(number) for number in range(1 << 14)]


def size_of(size: int) -> bytes:
    """Return the varint of a length; most are looked up."""
    return _LENGTHS[size] if size < 1 << 14 else encode_varint(size)


def sizes(values: Sequence[bytes]) -> list[bytes]:
    """Return the varint of the length of each."""
    numbers = [*map(len, values)]
    return [*map(_LENGTHS.__getitem__, numbers)] if max(numbers) < 1 << 14 else [*map(size_of, numbers)]


def length(data: bytes) -> bytes:
    """Return the varint of the length of `data`."""
    return size_of(len(data))


def delimited(key: bytes, data: bytes) -> bytes:
    """Return a length-delimited field (message, string or bytes); `key` is the field's."""
    size = len(data)
    return key + (_LENGTHS[size] if size < 1 << 14 else encode_varint(size)) + data


#: The first two bytes of a longer varint, by its lowest fourteen bits; also as they are in a timestamp's fields.
_PAIRS = [bytes((number & 0x7F | 0x80, number >> 7 | 0x80)) for number in range(1 << 14)]
_SECONDS, _NANOS = ([key + pair for pair in _PAIRS] for key in (b"\x08", b"\x10"))


def encode_timestamp(moment: tuple[int, int]) -> bytes:
    """Return a `google.protobuf.Timestamp` of (seconds since 1970, nanoseconds)."""
    seconds, nanos = moment
    # As nearly all are: looked up by fourteen bits, but for the days and months that many have in common.
    if 1 << 14 <= seconds < 1 << 35 and 1 << 14 <= nanos < 1 << 30:
        high = nanos >> 14
        rest = _LENGTHS[high] if high < 1 << 14 else _PAIRS[high & 0x3FFF] + _LENGTHS[high >> 14]
        return _SECONDS[seconds & 0x3FFF] + _REST[seconds >> 14] + _NANOS[nanos & 0x3FFF] + rest
    out = b"\x08" + encode_varint(seconds % (1 << 64)) if seconds else b""
    return out + b"\x10" + encode_varint(nanos) if nanos else out


#: Bytes that are few.
SHORT = 1 << 7


class Heads(dict[int, bytes]):
    """What stands before so many bytes, or for a number; made once below `kept`, else each time."""

    __slots__ = ("_kept", "_make")

    def __init__(self, make: Callable[[int], bytes], kept: int = SHORT) -> None:
        """`make` makes it."""
        super().__init__()
        self._make, self._kept = make, kept

    def __missing__(self, size: int) -> bytes:
        """Make it."""
        head = self._make(size)
        if size < self._kept:
            self[size] = head
        return head

    def entry(self, values: Sequence[bytes | None] | None) -> tuple[list[bytes], Sequence[Any]] | tuple[()]:
        """Return what stands before each value, and the values, both empty where one is None; or neither for None."""
        if values is None:
            return ()
        if None in values:
            return [b"" if value is None else self[len(value)] for value in values], [value or b"" for value in values]
        return [*map(self.__getitem__, map(len, values))], values  # type: ignore[arg-type] # none is None


#: Varints of what is left of seconds; of those up to 2038 they are kept.
_REST = Heads(encode_varint, 1 << 17)


def heads_of(key: bytes) -> Heads:
    """Return what stands before the value of a length-delimited field; `key` is the field's."""
    return Heads(lambda size: key + size_of(size))


class Name:
    """The name of a value in a Struct: what stands before a text, and before any `google.protobuf.Value`."""

    __slots__ = ("_key", "text", "value")

    def __init__(self, name: str) -> None:
        """Make it the key of an entry of a map."""
        self._key = delimited(b"\x0a", name.encode())
        self.text, self.value = Heads(self._before_text), Heads(self._before_value)

    def _before_text(self, size: int) -> bytes:
        inner = b"\x1a" + size_of(size)
        return self._before_value(len(inner) + size) + inner

    def _before_value(self, size: int) -> bytes:
        head = b"\x12" + size_of(size)
        return b"\x0a" + size_of(len(self._key) + len(head) + size) + self._key + head


#: Bounded, for names are data.
_MAX_NAMES = 1024
_names: dict[str, Name] = {}


def name_of(name: str) -> Name:
    """Return a name; most are at hand."""
    entry = _names.get(name) or Name(name)
    if len(_names) < _MAX_NAMES:
        _names[name] = entry
    return entry


#: Before a text in an array.
ITEM = Heads(lambda size: b"\x0a" + size_of(1 + len(size_of(size)) + size) + b"\x1a" + size_of(size))


def encode_struct(values: Mapping[str, Any], depth: int = 0, texts: list[Any] | None = None) -> bytes:
    """Return a `google.protobuf.Struct` of JSON values, keys sorted.

    Integers that a double would change become strings of digits, and objects and arrays that are nested deeper than
    readers can be trusted to follow become their own JSON text; these values are added to `texts`.
    """
    parts: list[bytes] = []
    append = parts.append
    # A third of the target's time is spent in this loop, hence no calls in it for the usual values.
    for key in sorted(values):
        value = values[key]
        name = _names.get(key) or name_of(key)
        kind = type(value)
        if kind is str:
            data = value.encode()
            append(name.text[len(data)])
        else:
            if kind is bool:
                data = b"\x20\x01" if value else b"\x20\x00"
            elif kind is dict and depth < MAX_STRUCT_DEPTH:
                data = encode_struct(value, depth + 1, texts)
                data = b"\x2a" + size_of(len(data)) + data
            else:
                data = encode_value(value, depth, texts)
            append(name.value[len(data)])
        append(data)
    return b"".join(parts)


def encode_float(value: float) -> bytes:
    """Return a `google.protobuf.Value` of a number."""
    return _pack_double(0x11, value)


def encode_value(value: Any, depth: int, texts: list[Any] | None) -> bytes:  # noqa: PLR0911 - one return a kind
    """Return a `google.protobuf.Value` that is so deep in others; `value` is of the types that a JSON decoder makes."""
    kind = type(value)
    if kind is str:
        return delimited(b"\x1a", value.encode())
    if kind is bool:
        return b"\x20\x01" if value else b"\x20\x00"
    if kind is int and not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        return _encode_as_text(value, str(value), texts)
    if kind is int or kind is float:
        return encode_float(value)
    if value is None:
        return b"\x08\x00"
    if depth >= MAX_STRUCT_DEPTH:
        return _encode_as_text(value, json.dumps(value, ensure_ascii=False, separators=(",", ":")), texts)
    if kind is dict:
        return delimited(b"\x2a", encode_struct(value, depth + 1, texts))
    items = [
        ITEM[len(data := item.encode())] + data
        if type(item) is str
        else delimited(b"\x0a", encode_value(item, depth + 1, texts))
        for item in value
    ]
    return delimited(b"\x32", b"".join(items))


def _encode_as_text(value: Any, text: str, texts: list[Any] | None) -> bytes:
    if texts is not None:
        texts.append(value)
    return delimited(b"\x1a", text.encode())
