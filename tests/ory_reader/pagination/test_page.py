"""The ids of a page, and what is none."""

import pytest

from ory_reader.errors import AnswerError
from ory_reader.pagination.page import Page, row_ids


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b"[]", []),
        (b' [ {"x":1,"id":"a"} ,{"id":"b"}]\n', ["a", "b"]),
        (b'\xef\xbb\xbf[{"id":"a"}]', ["a"]),
        (b'[{"id":"a","traits":"\\ud800"}]', ["a"]),
        (b'[{"id":"a","traits":{"\\udc00":1}},{"id":"b"}]', ["a", "b"]),
        (b'[{"id":"a","traits":"\xff"}]', ["a"]),
        (b'\xef\xbb\xbf[{"id":"a","traits":"\xff"}]', ["a"]),
        (b'[{"id":"a","id":"b"}]', ["b"]),
        (b'[{"id":"a","traits":["\\ud800",%b,1e%b]}]' % (b"9" * 5000, b"9" * 19), ["a"]),
    ],
)
def test_ids_of_a_page(body: bytes, ids: list[str]) -> None:
    assert row_ids(body) == ids


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"id":"a"}',
        b"[1]",
        b"[null]",
        b'["id"]',
        b"[{}]",
        b'[{"id":1}]',
        b'[{"id":null}]',
        b'[{"id":"a"}',
        b'[{"id":"a"},]',
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(AnswerError, match="not a list of identities"):
        row_ids(body)


@pytest.mark.parametrize(("body", "empty"), [(b"[]", True), (b" [ ]\n", True), (b'[{"id":"a"}]', False)])
def test_an_empty_page_is_known(body: bytes, empty: bool) -> None:  # noqa: FBT001
    assert Page(body, None).is_empty is empty
