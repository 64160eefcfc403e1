"""Many records become rows of a .c1z at once, column by column, where they are as nearly all are.

To make a `User` of each record, a dict of its profile, and each message by itself takes several times what it takes to
do the same to a whole column of values. The rows are the very bytes that `users` and `messages` make of the records one
by one. What is unusual (a blank, an address that is none, a number where a text is expected) is left to them: a group
with such a record in it is halved until that is alone.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timezone
from itertools import chain, islice
from operator import add
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert
from msgspec.structs import astuple

from target_c1 import messages, wire
from target_c1.mapping import FIELDS, SPREAD
from target_c1.users import ENABLED, MAX_BYTES, STATUSES
from target_c1.values import ADDRESS, MAX_LOCAL_BYTES, account_type, is_address, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_c1.mapping import Source
    from target_c1.values import Moment

    #: One value of each record of a group.
    Column = Sequence[Any]
    #: What stands before the bytes of each record's value, and these bytes, both empty where it has none; or neither
    #: where no record has.
    Entry = tuple[Column, Column] | tuple[()]

#: Characters that C1 takes, whatever they are.
_SHORT = MAX_BYTES // 4
_ONE_TEXT, _NOTHING, _MAYBE_TEXT = {str}, {type(None)}, {str, type(None)}
_SCALARS = {str, bool, int, float}
_KINDS = {*_SCALARS, list, dict, type(None)}
_WORDS = {word: number for word, number in STATUSES.items() if isinstance(word, str)}
_NAME, _LOGIN, _EMPLOYEE = wire.heads_of(b"\x1a"), wire.heads_of(b"\x32"), wire.heads_of(b"\x6a")
_CREATED, _LAST_LOGIN, _CREATED_AT = wire.heads_of(b"\x42"), wire.heads_of(b"\x4a"), wire.heads_of(b"\x62")
_GIVEN, _FAMILY, _STRUCTURED = wire.heads_of(b"\x0a"), wire.heads_of(b"\x12"), wire.heads_of(b"\x62")
_MFA = {True: b"\x52\x02\x08\x01", False: b"\x52\x00"}
_SSO = {True: b"\x5a\x02\x08\x01", False: b"\x5a\x00"}

#: Characters of a time in microseconds, at most.
_MICROSECONDS = len("2026-01-02T03:04:05.123456Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Row = tuple[str, int, bytes]


class UnusualError(ValueError):
    """A record needs a look of its own."""


def is_plain(sources: Mapping[str, Source]) -> bool:
    """Tell whether each value has one place in the record itself, so that the mapping can be followed by columns."""
    profile = sources.get("profile") or {}
    if "identifiers" in sources or not {"id", "display_name", "login"} <= sources.keys() or SPREAD not in profile:
        return False
    given = [*(source for field, source in sources.items() if field != "profile"), *profile.values()]
    return all(isinstance(source, str) and source.rfind("/") == 0 and "~" not in source for source in given)


def names_of(sources: Mapping[str, Source]) -> set[str]:
    """Return the names of a record that a mapping which `is_plain` looks at."""
    profile = sources["profile"]
    return {source[1:] for source in (*(sources[field] for field in sources if field != "profile"), *profile.values())}


class RowColumns:
    """Makes rows of records by a mapping that `is_plain`."""

    def __init__(self, sources: Mapping[str, Source], names: Sequence[str]) -> None:
        """Take records that are structs of these fields, whatever they call them."""
        self._at = {f"/{name}": number for number, name in enumerate(names)}
        self._sources = sources
        self._spread = sources["profile"][SPREAD]

    def rows(
        self,
        records: Sequence[Any],
        spreads: Sequence[Any],
        addresses: Sequence[Sequence[Any]],
    ) -> list[Row | None]:
        """Return each record's row, or None where it is an unusual one.

        `spreads` are the objects that profiles are spread from, `addresses` the texts that may be e-mail addresses
        beside the primary one.
        """
        groups: dict[tuple[str, ...] | None, list[int]] = defaultdict(list)
        for number, spread in enumerate(spreads):
            groups[tuple(spread) if spread.__class__ is dict else None].append(number)
        made: list[Row | None] = [None] * len(records)
        waiting = [group for names, group in groups.items() if names is not None]
        while waiting:
            group = waiting.pop()
            chosen = [[column[number] for number in group] for column in (records, spreads, addresses)]
            try:
                rows = self._group(*chosen)
            except (ValueError, RecursionError):
                if len(group) > 1:
                    half = len(group) // 2
                    waiting += (group[:half], group[half:])
                continue
            for number, row in zip(group, rows, strict=True):
                made[number] = row
        return made

    def _group(self, records: Sequence[Any], spreads: Sequence[Any], addresses: Sequence[Any]) -> Iterable[Row]:
        """Return the rows of records whose spread objects have the same names.

        Raises:
            ValueError: if one of them is unusual.
        """
        table = [*zip(*map(astuple, records), strict=True)]
        nothing = [None] * len(records)

        def column(source: Source) -> Column:
            return table[self._at[source]] if source in self._at else nothing

        fields = {field: column(self._sources.get(field)) for field in FIELDS if field != "profile"}
        ids, names, logins = (_required(fields[field]) for field in ("id", "display_name", "login"))
        first, last = _texts(fields["first_name"]), _texts(fields["last_name"])
        profile = self._profile(column, spreads, {"user_id": ids, "first_name": first, "last_name": last})
        profile_sizes = wire.sizes(profile)
        statuses = _statuses(fields["status"])
        status_bytes = _status_bytes(statuses, fields["status_details"])
        created = _times(fields["created_at"])
        trait = _joined(
            [
                *_mails(fields["email"], addresses),
                [b"\x12"] * len(records),
                status_bytes,
                [b"\x1a"] * len(records),
                profile_sizes,
                profile,
                *_accounts(fields["account_type"]),
                *_LOGIN.entry(logins),
                *_aliases(fields["login"], fields["login_aliases"]),
                *_CREATED.entry(created),
                *_LAST_LOGIN.entry(_times(fields["last_login"])),
                *_flags(fields["mfa_enabled"], _MFA),
                *_flags(fields["sso_enabled"], _SSO),
                *_structured_names(first, last),
                *_EMPLOYEE.entry(_texts(fields["employee_id"])),
            ]
        )
        rows = [
            [*map(messages.ID.__getitem__, map(len, ids))],
            ids,
            *_NAME.entry(names),
            [*map(messages.TRAIT.__getitem__, map(len, trait))],
            trait,
            [b"\x4a"] * len(records),
            profile_sizes,
            profile,
            [b"\x5a"] * len(records),
            status_bytes,
            *_CREATED_AT.entry(created),
        ]
        return zip(fields["id"], statuses, _joined(rows), strict=True)

    def _profile(
        self,
        column: Callable[[Source], Column],
        spreads: Sequence[dict[str, Any]],
        own: Mapping[str, Column | None],
    ) -> list[bytes]:
        texts: list[Any] = []
        nested, entries = _struct_entries(spreads, 1, texts)
        whole = [b"\x2a" + size + data for size, data in zip(wire.sizes(nested), nested, strict=True)]
        for name, source in self._sources["profile"].items():
            if name != SPREAD:
                values = whole if source == self._spread else column(source)
                known = wire.name_of(name)
                entry = known.value.entry(whole) if source == self._spread else _entry(known, values, 0, texts)
                _put(entries, name, entry, values)
        for name, texts_of in own.items():
            if texts_of is not None:
                _put(entries, name, wire.name_of(name).text.entry(texts_of), texts_of)
        if texts:
            # They are counted, but not where another value took their place.
            raise UnusualError
        return _joined([each for name in sorted(entries) for each in entries[name]])


def _joined(columns: Sequence[Column]) -> list[bytes]:
    return [*map(b"".join, zip(*columns, strict=True))]


def _put(entries: dict[str, Entry], name: str, entry: Entry, values: Column) -> None:
    """Put values under a name of the profile; where one is None there stays what is there."""
    if not entry:
        return
    before = entries.get(name)
    if before and None in values:
        head, data = (
            [old if value is None else new for new, old, value in zip(*pair, values, strict=True)]
            for pair in zip(entry, before, strict=True)
        )
        entry = head, data
    entries[name] = entry


def _struct_entries(
    objects: Sequence[dict[str, Any]], depth: int, texts: list[Any]
) -> tuple[list[bytes], dict[str, Entry]]:
    """Return objects of the same names as Structs, and the entries of their texts, numbers and truth values."""
    names = [*objects[0]]
    if not names:
        return [b""] * len(objects), {}
    entries, scalars = {}, {}
    for name, values in zip(names, zip(*map(dict.values, objects), strict=True), strict=True):
        entries[name] = entry = _entry(wire.name_of(name), values, depth, texts, null=b"\x08\x00")
        kinds = set(map(type, values))
        if kinds <= _SCALARS:
            scalars[name] = entry
        elif kinds & _SCALARS:
            is_scalar = [value.__class__ in _SCALARS for value in values]
            kept = [[data if is_one else b"" for data, is_one in zip(part, is_scalar, strict=True)] for part in entry]
            scalars[name] = kept[0], kept[1]
    return _joined([part for name in sorted(names) for part in entries[name]]), scalars


def _entry(name: wire.Name, values: Column, depth: int, texts: list[Any], null: bytes | None = None) -> Entry:
    """Return JSON values under a name; `null` is what None is written as, if it is."""
    kinds = set(map(type, values))
    if kinds == _ONE_TEXT:
        return name.text.entry([*map(str.encode, values)])
    if kinds == {dict} and depth < wire.MAX_STRUCT_DEPTH and len(set(map(tuple, values))) == 1:
        structs, _ = _struct_entries(values, depth + 1, texts)
        return name.value.entry(
            [b"\x2a" + size + data for size, data in zip(wire.sizes(structs), structs, strict=True)]
        )
    if kinds == _NOTHING and null is None:
        return ()
    if kinds == {float}:
        return name.value.entry([*map(wire.encode_float, values)])
    if kinds == {list} and depth < wire.MAX_STRUCT_DEPTH and set(map(type, chain.from_iterable(values))) <= _ONE_TEXT:
        return name.value.entry(_lists_of_texts(values))
    if not kinds <= _KINDS:
        raise UnusualError
    return name.value.entry([null if value is None else wire.encode_value(value, depth, texts) for value in values])


def _lists_of_texts(lists: Sequence[list[str]]) -> list[bytes]:
    items = [*map(str.encode, chain.from_iterable(lists))]
    parts = map(add, map(wire.ITEM.__getitem__, map(len, items)), items)
    return [wire.delimited(b"\x32", b"".join(islice(parts, number))) for number in map(len, lists)]


def _required(values: Column) -> list[bytes]:
    """Return ids, names or logins: texts that are short enough for C1.

    Raises:
        UnusualError: if one is none.
    """
    if set(map(type, values)) != _ONE_TEXT or max(map(len, values)) > _SHORT or not all(map(str.strip, values)):
        raise UnusualError
    return [*map(str.encode, values)]


def _texts(values: Column) -> list[bytes | None] | list[bytes] | None:
    """Return texts that are not blank, or None; None for a column without any.

    Raises:
        UnusualError: if one is something else.
    """
    kinds = set(map(type, values))
    if kinds == _ONE_TEXT and all(map(str.strip, values)):
        return [*map(str.encode, values)]
    if kinds == _NOTHING:
        return None
    if kinds != _MAYBE_TEXT or not all(value is None or value.strip() for value in values):
        raise UnusualError
    return [None if value is None else value.encode() for value in values]


def _mails(emails: Column, others: Sequence[Sequence[Any]]) -> Sequence[Column]:
    if (
        set(map(type, emails)) == _ONE_TEXT
        and all(map(str.isascii, emails))
        and [*zip(emails)] == [*map(tuple, others)]
    ):
        data = [*map(str.encode, emails)]
        if max(map(len, data)) <= MAX_LOCAL_BYTES:
            if not all(map(ADDRESS.fullmatch, emails)):
                raise UnusualError
            return *messages.PRIMARY_EMAIL.entry(data), [messages.PRIMARY] * len(data)
    return [[_all(email, more) for email, more in zip(emails, others, strict=True)]]


def _all(email: Any, others: Iterable[Any]) -> bytes:
    found: dict[str, str] = {}
    for address in others if email is None else (email, *others):
        if address.__class__ is not str or address != address.strip() or not is_address(address):
            raise UnusualError
        found.setdefault(address.casefold(), address)
    return messages.encode_emails(found.values())


def _statuses(values: Column) -> list[int]:
    if set(map(type, values)) != _ONE_TEXT or not _WORDS.keys() >= set(values):
        raise UnusualError
    return [*map(_WORDS.__getitem__, values)]


def _status_bytes(statuses: Sequence[int], details: Column) -> list[bytes]:
    found = [*map(messages.STATUSES.__getitem__, statuses)]
    if set(map(type, details)) != _NOTHING:
        for number, (status, value) in enumerate(zip(statuses, details, strict=True)):
            if status != ENABLED and value is not None:
                (said,) = _required([value])
                found[number] = wire.delimited(b"", found[number][1:] + wire.delimited(b"\x12", said))
    return found


def _accounts(values: Column) -> Sequence[Column]:
    words = set(values) if set(map(type, values)) <= _MAYBE_TEXT else None
    if words is None:
        raise UnusualError
    found = {word: messages.ACCOUNT_TYPES[account_type(word)] if word else b"" for word in words}
    return [[*map(found.__getitem__, values)]]


def _aliases(logins: Sequence[str], values: Column) -> Sequence[Column]:
    if not any(values):
        # None and empty lists, if they are nothing else.
        if set(map(type, values)) <= {list, type(None)}:
            return ()
        raise UnusualError
    return [[_some_aliases(login, aliases) for login, aliases in zip(logins, values, strict=True)]]


def _some_aliases(login: str, aliases: Any) -> bytes:
    if aliases is None:
        return b""
    if aliases.__class__ is not list:
        raise UnusualError
    found: dict[str, bytes] = {}
    for alias, data in zip(aliases, _texts(aliases) or [None] * len(aliases), strict=True):
        if data is None:
            raise UnusualError
        found.setdefault(alias.casefold(), wire.delimited(b"\x3a", data))
    found.pop(login.casefold(), None)
    return b"".join(found.values())


def _times(values: Column) -> list[bytes | None] | None:
    """Return timestamps; None for a column without any."""
    kinds = set(map(type, values))
    if kinds == _NOTHING:
        return None
    moments: Iterable[Moment | None] = map(parse_time, values)
    if kinds == _ONE_TEXT and max(map(len, values)) <= _MICROSECONDS and {value[-1:] for value in values} == {"Z"}:
        with suppress(ValidationError):
            since = [moment - _EPOCH for moment in convert(values, list[datetime])]
            moments = [(each.days * 86400 + each.seconds, each.microseconds * 1000) for each in since]
    return [None if moment is None else wire.encode_timestamp(moment) for moment in moments]


def _flags(values: Column, written: Mapping[bool, bytes]) -> Sequence[Column]:
    if set(map(type, values)) == _NOTHING:
        return ()
    return [[written[value] if value.__class__ is bool else b"" for value in values]]


def _structured_names(first: Column | None, last: Column | None) -> Sequence[Column]:
    parts = [*_GIVEN.entry(first), *_FAMILY.entry(last)]
    return _STRUCTURED.entry([name or None for name in _joined(parts)]) if parts else ()
