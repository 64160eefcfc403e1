"""A state as stores hand it over: unwrapped, and without the reads that a store kept though they were finished.

Stores lay a new state over an old one (Meltano: `--state-strategy=merge`), repeat states, mix up their order, or
keep one stream's only. What a finished read removes from its state then comes back. So it says of itself that it
is finished, in a way that survives all of these: `finished` holds the versions of the last reads, each in a place
of its own, as an object's members are kept where objects are merged. Nothing here is ever null, nor of another
JSON type than before, which Meltano's merging does not survive.

Knows no Singer but the shape of a state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Bookmarks = dict[str, dict[str, Any]]

#: What a state keeps of a stream. What else may be in one is the SDK's, of one run only, and of any shape.
KEPT = (
    *("snapshot", "finished", "replication_key", "replication_key_value", "replication_source"),
    *("typed_traits", "identity_schemas"),
)
#: Streams that are made of the pages of another, by the name of that: they are read together.
VIEWS = {"users": "identities", "organizations": "identities"}
#: How many finished reads a state tells of: a state that a store brings back later than so many reads, and that
#: then pushes out the newest of them, is not foreseen. A prime, so that reads at regular times differ in it.
PLACES = 17
#: More wrappers than this nobody puts around a state.
MAX_WRAPPERS = 8


def bookmarks_of(state: Any) -> Bookmarks | None:
    """Return what a state keeps of each stream, None if it is no state.

    Understood are a state, a whole STATE message, and what Meltano prints (`state get`, `state export` of one
    state) or puts into a file of its own: `{"singer_state": ...}`, `{"completed": ..., "partial": ...}`.
    """
    for _ in range(MAX_WRAPPERS):
        if not isinstance(state, dict):
            return None
        if "bookmarks" in state or not state:
            break
        state = _unwrapped(state)
    else:
        return None
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(isinstance(own, dict) for own in bookmarks.values()):
        return None
    return {name: {key: own[key] for key in KEPT if key in own} for name, own in bookmarks.items()}


def _unwrapped(state: Mapping[str, Any]) -> Any:
    if isinstance(state.get("completed"), dict) or isinstance(state.get("partial"), dict):
        return _laid_over(state.get("completed") or {}, state.get("partial") or {})
    for wrapper in ("singer_state", "value"):
        if wrapper in state:
            return state[wrapper]
    (only, *others) = state.values()
    return only if not others and isinstance(only, dict) and only.keys() == {"completed", "partial"} else None


def _laid_over(below: Any, above: Any) -> Any:
    """Merge as Meltano does with what an unfinished run has left."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}


def finished_reads(bookmarks: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the versions of finished reads by their places; all streams of a read tell of them."""
    found: dict[str, int] = {}
    for own in bookmarks.values():
        places = own.get("finished")
        for place, version in places.items() if isinstance(places, dict) else ():
            if place.isdecimal() and int(place) < PLACES and type(version) is int:
                found[place] = max(version, found.get(place, version))
    return found


def with_finished(finished: Mapping[str, int], version: int) -> dict[str, int]:
    """Return `finished` with one read more, in the place behind the newest's.

    A run that is given no state knows no place: one that depends on the version hardly meets what a store has.
    """
    place = int(max(finished, key=finished.__getitem__)) + 1 if finished else version
    return {**finished, str(place % PLACES): version}


def versions(bookmarks: Mapping[str, Mapping[str, Any]]) -> set[int]:
    """Return the versions of all reads that a state knows, finished or not."""
    found = {_version(own.get("snapshot")) for own in bookmarks.values()} | set(finished_reads(bookmarks).values())
    return {version for version in found if version is not None}


def of_the_same_read(bookmarks: Bookmarks | Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Return what is kept of the streams that are read with the stream `name`, itself among them."""
    read = VIEWS.get(name, name)
    return {each: own for each, own in bookmarks.items() if VIEWS.get(each, each) == read}


def without_finished(bookmarks: Bookmarks) -> Bookmarks:
    """Return the bookmarks without the snapshots of reads that were finished, or begun before one that was."""
    return {name: _without_past(own, of_the_same_read(bookmarks, name)) for name, own in bookmarks.items()}


def _without_past(own: dict[str, Any], together: Bookmarks) -> dict[str, Any]:
    newest = max(finished_reads(together).values(), default=None)
    return {key: value for key, value in own.items() if key != "snapshot" or not _is_past(value, newest)}


def _is_past(snapshot: Any, newest: int | None) -> bool:
    version = _version(snapshot)
    return newest is not None and version is not None and version <= newest


def _version(snapshot: Any) -> int | None:
    version = snapshot.get("version") if isinstance(snapshot, dict) else None
    return version if type(version) is int else None
