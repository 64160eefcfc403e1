"""Relation tuples as records: each once, and a subject's text tells which of both forms it was."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import product
from typing import Any

import msgspec
import pytest

from ory_reader.errors import AnswerError
from ory_reader.records.projection import project
from ory_reader.records.tuple_decoder import TupleDecoder
from ory_reader.streams import STREAMS

SCHEMA = STREAMS["relation_tuples"].schema()
PLACE = {"namespace": "Document", "object": "d", "relation": "viewers"}


def records(*pages: Any, deselected: tuple[tuple[str, ...], ...] = ()) -> list[dict[str, Any]]:
    mask: defaultdict[tuple[str, ...], bool] = defaultdict(lambda: True, dict.fromkeys(deselected, False))
    decoder = TupleDecoder(project(SCHEMA, mask, key="namespace"))
    found: list[dict[str, Any]] = []
    for page in pages:
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        lines = msgspec.json.Encoder().encode_lines(decoder.records(decoder.rows(body)))
        found += map(json.loads, lines.splitlines())
    return found


def of_set(namespace: str, name: str, relation: str) -> dict[str, Any]:
    return {**PLACE, "subject_set": {"namespace": namespace, "object": name, "relation": relation}}


def test_a_bare_id_is_itself_and_a_set_as_keto_writes_it() -> None:
    one, other = {**PLACE, "subject_id": "4b13af4d"}, of_set("Team", "eng", "members")
    assert records([one, other]) == [
        {**PLACE, "subject": "4b13af4d", "subject_id": "4b13af4d"},
        {**PLACE, "subject": "Team:eng#members", "subject_set": other["subject_set"]},
    ]


def test_no_two_subjects_have_the_same_text() -> None:
    texts = ["", "a", ":", "#", "%", "a:b", "a#b", "%23", "a:b#c", "%3A", "Team:eng#members", "(a)", "::", "##"]
    ids = [{**PLACE, "subject_id": text} for text in texts]
    sets = [of_set(*parts) for parts in product(texts, repeat=3)]
    found = records(ids + sets)
    assert len(found) == len(ids) + len(sets)
    subjects = [record["subject"] for record in found]
    assert len(set(subjects)) == len(subjects)
    # The form can be told from the text alone.
    assert all(("#" in record["subject"]) is ("subject_set" in record) for record in found)


def test_repeats_come_once_in_the_same_page_and_in_later_ones() -> None:
    one, other = {**PLACE, "subject_id": "a"}, {**PLACE, "object": "e", "subject_id": "a"}
    assert [record["object"] for record in records([one, one], [other, one], [one])] == ["d", "e"]


def test_rows_that_differ_in_one_part_are_others() -> None:
    one = {**PLACE, "subject_id": "a"}
    others = [{**one, name: f"{one[name]}!"} for name in one]
    assert len(records([one, *others])) == 5
    shifted = [{**one, "namespace": "ab", "object": "c"}, {**one, "namespace": "a", "object": "bc"}]
    assert len(records(shifted)) == 2


@pytest.mark.parametrize(
    ("deselected", "kept"),
    [
        ((("properties", "subject_set"),), {*PLACE, "subject"}),
        ((("properties", "subject_set", "properties", "object"),), {*PLACE, "subject", "subject_set"}),
    ],
)
def test_what_is_deselected_stays_in(deselected: tuple[tuple[str, ...], ...], kept: set[str]) -> None:
    (found,) = records([of_set("Team", "eng", "members")], deselected=deselected)
    assert set(found) == kept
    assert "object" not in found.get("subject_set", {})
    assert found["subject"] == "Team:eng#members"


def test_odd_texts_come_through() -> None:
    odd = 'Ünïcode <doc> & "co" \\ 😀\n'
    (found,) = records([{**PLACE, "object": odd, "subject_id": odd}])
    assert (found["object"], found["subject"], found["subject_id"]) == (odd, odd, odd)
    (lone,) = records(b'[{"namespace":"n","object":"\\ud83d","relation":"a\\u0000b","subject_id":"i"}]')
    assert (lone["object"], lone["relation"]) == ("\ufffd", "a\ufffdb")


@pytest.mark.parametrize(
    "page",
    [
        {},
        [1],
        [{}],
        [PLACE],
        [{**PLACE, "subject_id": None}],
        [{**PLACE, "subject_id": 1}],
        [{**PLACE, "subject_set": {}}],
    ],
)
def test_what_is_no_tuple_ends_the_read(page: Any) -> None:
    with pytest.raises(AnswerError):
        records(page)
