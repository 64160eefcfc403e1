"""Where the file goes, and how it gets there at once: written aside, then one rename or one object PUT.

A destination has a work directory for the files of one run, beside a local destination, else in the system's place
for temporary files. It is locked, so that two runs cannot publish to one destination at the same time, and what a
killed run left in it is removed by the next one. Knows nothing of users or formats.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from upath import UPath

from target_c1.errors import PublishError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The object stores whose upload replaces an object in one moment, and how their files are uploaded with little memory.
_PART = {"chunksize": 8 * 1024 * 1024, "max_concurrency": 4}
_UPLOADS: dict[str, dict[str, Any]] = {
    "s3": _PART,
    "s3a": _PART,
    "az": {"max_concurrency": 4},
    "abfs": {"max_concurrency": 4},
    "abfss": {"max_concurrency": 4},
    "memory": {},
}
#: Which extra brings the library of a store.
_EXTRAS = {"s3": "c1-s3", "s3a": "c1-s3", "az": "c1-azure", "abfs": "c1-azure", "abfss": "c1-azure"}
_LOCAL = ("", "file", "local")
_MAX_REASON = 300


class Destination(Protocol):
    """Where a file is published."""

    #: A directory of this run alone.
    work: Path

    def previous(self) -> Path | None:
        """Return a local path of what is published now, or None if there is nothing."""

    def publish(self, file: Path) -> None:
        """Put `file`, which is in `work`, in the place of what is published, in one step."""


class LocalDestination:
    """A file of this machine."""

    def __init__(self, path: Path, work: Path) -> None:
        """Take the path with its links followed: the file is replaced, not the link."""
        self._path = path
        self.work = work

    def previous(self) -> Path | None:
        """Return the published file itself."""
        return self._path if self._path.exists() else None

    def publish(self, file: Path) -> None:
        """Rename, with the permissions of the file that is replaced, and make sure that the rename is on the disk."""
        if self._path.exists():
            file.chmod(stat.S_IMODE(self._path.stat().st_mode))
        file.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


class ObjectDestination:
    """An object of a store that fsspec reaches."""

    def __init__(self, url: str, filesystem: Any, path: str, work: Path) -> None:
        """Take fsspec's file system and its name for the object.

        Raises:
            PublishError: if the store can't be reached, so that a wrong credential shows before the tap is read.
        """
        self._url, self._filesystem, self._path = url, filesystem, path
        self._upload = _UPLOADS[_protocol(url)]
        self.work = work
        self._exists()

    def previous(self) -> Path | None:
        """Download what is published."""
        if not self._exists():
            return None
        file = self.work / "previous"
        with _store_errors("read", self._url):
            self._filesystem.get_file(self._path, str(file))
        return file

    def publish(self, file: Path) -> None:
        """Upload; the object is replaced when the upload is complete."""
        with _store_errors("write", self._url):
            self._filesystem.put_file(str(file), self._path, **self._upload)

    def _exists(self) -> bool:
        with _store_errors("read", self._url):
            self._filesystem.invalidate_cache()
            try:
                self._filesystem.info(self._path)
            except FileNotFoundError:
                return False
            return True


@contextmanager
def open_destination(path: str) -> Iterator[Destination]:
    """Give the destination that the setting `path` names; its work directory is gone afterwards.

    Raises:
        SettingsError: if files can't be replaced in one step there.
        PublishError: if it can't be reached or written, or another run is at work on it.
    """
    protocol = _protocol(path)
    if protocol in _LOCAL:
        local = _local_path(path)
        if local.is_dir():
            msg = f"Setting path names a directory ({path!r}): add a file name such as users.c1z."
            raise SettingsError(msg)
        if local.exists() and not local.is_file():
            msg = f"Setting path names a device or pipe ({path!r}), which no file can replace: name a file."
            raise SettingsError(msg)
        with _work_directory(local.parent / f".{local.name}.target-c1") as work:
            yield LocalDestination(local, work)
        return
    if protocol not in _UPLOADS:
        msg = (
            f"Setting path begins with {protocol}://, where a file cannot be replaced in one step: use a local path, "
            "s3://, az:// or abfs://."
        )
        raise SettingsError(msg)
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    with _work_directory(Path(tempfile.gettempdir()) / f"target-c1-{os.getuid()}-{digest}") as work:
        with _store_errors("reach", path):
            place = _open_url(path)
            filesystem, name = place.fs, place.path
        yield ObjectDestination(path, filesystem, name, work)


@contextmanager
def open_readable(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, from a local path or a URL that fsspec knows.

    Raises:
        PublishError: if it can't be read.
    """
    with ExitStack() as stack:
        with _store_errors("read", path):
            place = _open_url(path) if _protocol(path) not in _LOCAL else _local_path(path)
            file = stack.enter_context(place.open("rb"))
        yield file


def _local_path(path: str) -> Path:
    _, found, rest = path.partition("://")
    return Path(os.path.realpath(rest if found else Path(path).expanduser()))


def _open_url(path: str) -> Any:
    # It logs each request with all its headers, at a level that is shown.
    logging.getLogger("azure").setLevel(logging.WARNING)
    # Listings are of no use here, and a stale one would hide what another program has published.
    return UPath(path, use_listings_cache=False)


@contextmanager
def _work_directory(directory: Path) -> Iterator[Path]:
    lock = _lock(directory)
    try:
        _empty(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _lock(directory: Path) -> int:
    """Return the descriptor of `directory`, created if need be and locked.

    Raises:
        PublishError: if another run holds it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    while True:
        directory.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # the run before this one has just removed it
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            _expect_owner(os.fstat(descriptor), directory)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(descriptor)
                msg = f"Another target-c1 is at work on this destination (it holds {str(directory)!r})."
                raise PublishError(msg) from error
            if os.path.samestat(directory.stat(), os.fstat(descriptor)):
                return descriptor
            os.close(descriptor)


def _expect_owner(status: os.stat_result, directory: Path) -> None:
    """Refuse a directory that somebody else has put where ours belongs."""
    if status.st_uid != os.getuid():
        msg = f"The work directory {str(directory)!r} belongs to somebody else: remove it."
        raise PublishError(msg)


def _empty(directory: Path) -> None:
    for left in directory.iterdir():
        left.unlink()


def _protocol(path: str) -> str:
    protocol, found, _ = path.partition("://")
    return protocol.lower() if found else ""


@contextmanager
def _store_errors(action: str, url: str) -> Iterator[None]:
    """Turn whatever an object store's library raises into one line, and its absence too."""
    try:
        yield
    except ImportError as error:
        extra = _EXTRAS.get(_protocol(url))
        remedy = f"pip install 'tap-ory[{extra}]'" if extra else _first_line(error)
        msg = f"Cannot {action} {url!r} without the library for its store: {remedy}."
        raise PublishError(msg) from error
    except (PublishError, OSError) as error:
        if isinstance(error, PublishError) or error.errno == errno.ENOSPC:
            raise
        msg = f"Cannot {action} {url!r}: {_first_line(error)}"
        raise PublishError(msg) from error
    except Exception as error:
        msg = f"Cannot {action} {url!r}: {_first_line(error)}"
        raise PublishError(msg) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:_MAX_REASON]}" if lines else type(error).__name__
