"""What is taken of a Link header, and what is not."""

import json
from pathlib import Path

import pytest

from ory_reader.errors import AnswerError
from ory_reader.pagination.links import next_page_token
from ory_reader.pagination.page import Page, row_ids
from ory_reader.pagination.paginators import KEYSET

RECORDINGS = Path(__file__).parents[2] / "recordings"


def recorded(name: str) -> tuple[str | None, bytes]:
    """The Link header and the body of a recorded answer."""
    _, head, body = (RECORDINGS / f"{name}.http").read_text().split("\n\n", 2)
    links = [line.partition(":")[2].strip() for line in head.split("\n") if line.lower().startswith("link:")]
    return ", ".join(links) or None, body.encode()


@pytest.mark.parametrize("version", ["v1.0.0", "v1.3.1", "v26.2.0"])
def test_recorded_pages_lead_from_one_to_the_next(version: str) -> None:
    ids = [row["id"] for row in json.loads(recorded(f"{version}/list-all")[1])]
    read = []
    for page in (1, 2, 3):
        link, body = recorded(f"{version}/list-size-2-page-{page}")
        following = next_page_token(link)
        read += row_ids(body)
        fetched = Page(body, following)
        if page == 1:
            assert KEYSET.recognises(fetched) is (version != "v1.0.0")
        if version != "v1.0.0" and following:
            assert following == row_ids(body)[-1]
    assert read == ids[:6]
    assert next_page_token(recorded(f"{version}/list-all")[0]) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ('</admin/identities?page_token=0>; rel="first"', None),
        ('</x?page_token=abc>; rel="next"', "abc"),
        ("</x?page_token=abc>; rel=next", "abc"),
        ('</x?page_token=first>; rel="first",</x?page_size=2&page_token=abc>; rel="next"', "abc"),
        ('<http://elsewhere.example/x?page_token=abc#f>;title="a, b"; rel="next"', "abc"),
        ('<http://[/x?page_token=abc>; rel="next"', "abc"),
        ('</x?page_token=abc> ; Rel = "Next" ; title=x', "abc"),
        ('</x?page_token=a%3Db>; rel="next"', "a=b"),
        ('</x?page_token=abc>; rel="nextish"', None),
        ('</x?page_token=abc>; rel="prev"', None),
    ],
)
def test_only_the_token_of_next_is_taken(header: str | None, found: str | None) -> None:
    assert next_page_token(header) == found


@pytest.mark.parametrize(
    "query",
    ["page=2&per_page=2", "page_token=", "page_token=a&page_token=b", "page_token=a%0Ab", "page_token=a+b", ""],
)
def test_a_next_page_without_a_usable_token_is_an_error_and_not_the_end(query: str) -> None:
    with pytest.raises(AnswerError, match="without a page token that can be used"):
        next_page_token(f'</admin/identities?{query}>; rel="next"')


def test_a_token_that_is_too_long_is_none() -> None:
    assert next_page_token(f'</x?page_token={"a" * 2048}>; rel="next"') == "a" * 2048
    with pytest.raises(AnswerError):
        next_page_token(f'</x?page_token={"a" * 2049}>; rel="next"')
