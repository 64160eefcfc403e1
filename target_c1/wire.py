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
    from collections.abc import Mapping

#: Beyond this magnitude a double no longer holds every integer.
MAX_EXACT_INTEGER = 2**53
#: Levels of a Struct; readers of Protocol Buffers stop at 100 nested messages, and a level takes three.
MAX_STRUCT_DEPTH = 24

_pack_double = struct.Struct("<d").pack


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


def length(data: bytes) -> bytes:
    """Return the varint of the length of `data`."""
    return size_of(len(data))


def delimited(key: bytes, data: bytes) -> bytes:
    """Return a length-delimited field (message, string or bytes); `key` is the field's."""
    size = len(data)
    return key + (_LENGTHS[size] if size < 1 << 14 else encode_varint(size)) + data


def encode_timestamp(moment: tuple[int, int]) -> bytes:
    """Return a `google.protobuf.Timestamp` of (seconds since 1970, nanoseconds)."""
    seconds, nanos = moment
    out = b"\x08" + _encode_large_varint(seconds % (1 << 64)) if seconds else b""
    return out + b"\x10" + _encode_large_varint(nanos) if nanos else out


def _encode_large_varint(number: int) -> bytes:
    """Return the same as `encode_varint`, without a loop where there are five bytes, as in nearly every timestamp."""
    if number >> 28 and not number >> 35:
        low = number & 0xFFFFFFF
        return bytes(
            (low & 0x7F | 0x80, low >> 7 & 0x7F | 0x80, low >> 14 & 0x7F | 0x80, low >> 21 | 0x80, number >> 28)
        )
    return encode_varint(number)


class _Name:
    """A map entry's name; the bytes before a value, which depend on its size alone, are kept for short values."""

    __slots__ = ("_key", "before_text", "before_value")

    def __init__(self, name: str) -> None:
        self._key = delimited(b"\x0a", name.encode())
        self.before_text: dict[int, bytes] = {}
        self.before_value: dict[int, bytes] = {}

    def head_of_text(self, size: int) -> bytes:
        """Return what stands before a text of `size` bytes."""
        inner = b"\x1a" + size_of(size)
        return self._keep(self.before_text, size, b"\x12" + size_of(len(inner) + size) + inner)

    def head_of_value(self, size: int) -> bytes:
        """Return what stands before a `google.protobuf.Value` of `size` bytes."""
        return self._keep(self.before_value, size, b"\x12" + size_of(size))

    def _keep(self, kept: dict[int, bytes], size: int, head: bytes) -> bytes:
        head = b"\x0a" + size_of(len(self._key) + len(head) + size) + self._key + head
        if size < 1 << 7:
            kept[size] = head
        return head


#: Bounded, for names are data.
_MAX_NAMES = 1024
_names: dict[str, _Name] = {}


def _name(name: str) -> _Name:
    entry = _Name(name)
    if len(_names) < _MAX_NAMES:
        _names[name] = entry
    return entry


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
        name = _names.get(key) or _name(key)
        kind = type(value)
        if kind is str:
            data = value.encode()
            append(name.before_text.get(len(data)) or name.head_of_text(len(data)))
        else:
            if kind is bool:
                data = b"\x20\x01" if value else b"\x20\x00"
            elif kind is dict and depth < MAX_STRUCT_DEPTH:
                data = encode_struct(value, depth + 1, texts)
                data = b"\x2a" + size_of(len(data)) + data
            else:
                data = _encode_value(value, depth, texts)
            append(name.before_value.get(len(data)) or name.head_of_value(len(data)))
        append(data)
    return b"".join(parts)


def _encode_value(value: Any, depth: int, texts: list[Any] | None) -> bytes:  # noqa: PLR0911 - one return a kind
    """Return a `google.protobuf.Value`; `value` is of the very types that a JSON decoder makes."""
    kind = type(value)
    if kind is str:
        return delimited(b"\x1a", value.encode())
    if kind is bool:
        return b"\x20\x01" if value else b"\x20\x00"
    if kind is int and not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        return _encode_as_text(value, str(value), texts)
    if kind is int or kind is float:
        return b"\x11" + _pack_double(value)
    if value is None:
        return b"\x08\x00"
    if depth >= MAX_STRUCT_DEPTH:
        return _encode_as_text(value, json.dumps(value, ensure_ascii=False, separators=(",", ":")), texts)
    if kind is dict:
        return delimited(b"\x2a", encode_struct(value, depth + 1, texts))
    return delimited(b"\x32", b"".join([delimited(b"\x0a", _encode_value(item, depth + 1, texts)) for item in value]))


def _encode_as_text(value: Any, text: str, texts: list[Any] | None) -> bytes:
    if texts is not None:
        texts.append(value)
    return delimited(b"\x1a", text.encode())
