"""Files that lost too many users are not published, unless it is said that they may."""

from pathlib import Path

import pytest

from target_c1.errors import RefusedError
from tests.target_c1.support import publish, user, users_read, whole_read

FORMATS = ["c1z", "csv", "json"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("first", "percent", "refused"),
    [(0, 0, False), (1, 0, True), (1, 1, False), (30, 30, False), (31, 30, True), (100, 99, True), (100, 100, False)],
)
def test_missing_users(first: int, percent: int, refused: bool, form: str, tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / f"users.{form}"
    publish(users_read(100), path)
    before, inode = path.read_bytes(), path.stat().st_ino
    # As many users as before: it counts who is missing, not how many there are.
    messages = whole_read(user(number) for number in range(first, first + 100))
    if refused:
        with pytest.raises(RefusedError, match=f"{first} of the 100 users .*{first}.0 percent"):
            publish(messages, path, max_drop_percent=percent)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
        publish(messages, path, max_drop_percent=percent, force=True)
    else:
        publish(messages, path, max_drop_percent=percent)
    assert path.stat().st_ino != inode


@pytest.mark.parametrize("form", FORMATS)
def test_thirty_percent_is_the_default(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    publish(users_read(10), path)
    publish(whole_read(user(number) for number in range(3, 10)), path)
    with pytest.raises(RefusedError, match="max_drop_percent is 30"):
        publish(whole_read(user(number) for number in range(6, 10)), path)


def test_users_who_repeat_or_come_new_do_not_make_up_for_missing_ones(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(10), path)
    messages = whole_read([user(0)] * 20 + [user(number) for number in range(100, 150)])
    with pytest.raises(RefusedError, match="9 of the 10"):
        publish(messages, path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_minimum_of_users(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    with pytest.raises(RefusedError, match="9 users are fewer than min_users"):
        publish(users_read(9), path, min_users=10)
    assert not path.exists()
    publish(users_read(10), path, min_users=10)
    publish(users_read(9), path, min_users=10, force=True)


def test_nobody_is_too_few_by_default(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        publish(users_read(0), tmp_path / "users.c1z")
    publish(users_read(0), tmp_path / "users.c1z", min_users=0)
    publish(users_read(1), tmp_path / "users.c1z")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("data", [b"", b"something\nelse", b"\xff\xfe", b'{"users":[\n{"name":1}\n]}', b"[" * 5000])
def test_a_previous_file_that_cannot_be_compared_is_not_replaced(data: bytes, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    path.write_bytes(data)
    with pytest.raises(RefusedError, match="cannot be compared"):
        publish(users_read(5), path)
    assert path.read_bytes() == data
    publish(users_read(5), path, max_drop_percent=100)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("json", b'{"users": [\n  {"id": "A", "display_name": "x"},\n  {"id": "B", "display_name": "y"}\n]}'),
        ("json", b'{"resources":[],"users":[{"id":"A"},{"id":"B"}]}'),
        ("csv", b'\xef\xbb\xbfName,User ID\r\n"a\nb",A\r\nc,B\r\n'),
    ],
)
def test_a_previous_file_of_somebody_else_can_be_compared(form: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    path.write_bytes(data)
    with pytest.raises(RefusedError, match="1 of the 2 users"):
        publish(whole_read([user(1, id="A"), user(2)]), path)
    publish(whole_read([user(1, id="A"), user(2, id="B")]), path)
