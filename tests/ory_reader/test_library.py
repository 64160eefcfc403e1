"""The door: its examples, its lightness, and that ranges of a plan give everybody once or raise."""

from __future__ import annotations

import doctest
import pickle
import re
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import ory_reader
from ory_reader import library
from ory_reader.errors import AccessError, IncompleteError, SettingsError, UnavailableError
from ory_reader.pagination.id_ranges import LAST_ID, IdRange
from ory_reader.resources.identities import page_fetcher
from ory_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.config.settings import Settings
    from ory_reader.pagination.page import Page
    from ory_reader.pagination.unreadable_rows import Fetch

ADMIN_API = "http://127.0.0.1:4434/"
PAGE = Path(__file__).parents[2] / "docs" / "library.md"
KEY = "ory_pat_a-key-that-nobody-may-see"
PEOPLE = 60


@pytest.fixture(scope="module")
def examples_server() -> Iterator[Sandbox]:
    with Sandbox(25) as sandbox:
        yield sandbox


def run_examples(text: str, name: str, sandbox: Sandbox) -> int:
    names = {each: getattr(ory_reader, each) for each in ory_reader.__all__}
    parsed = doctest.DocTestParser().get_doctest(text.replace(ADMIN_API, sandbox.url), names, name, name, 0)
    told: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(parsed, out=told.append)
    assert not failed, "".join(told)
    return tried


@pytest.mark.parametrize("name", ["settings", "plan", "open_read", "decoder", "Plan.schema"])
def test_examples_of_docstrings(name: str, examples_server: Sandbox) -> None:
    target: Any = library
    for part in name.split("."):
        target = getattr(target, part)
    assert run_examples(target.__doc__, name, examples_server) >= 2


def test_examples_of_the_page(examples_server: Sandbox) -> None:
    # All of them one after another, as a reader tries them.
    blocks = re.findall(r"```pycon\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert run_examples("\n".join(blocks), "library.md", examples_server) >= 10


def test_the_page_describes_every_name() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in ory_reader.__all__ if f"`{name}" not in text] == []


def test_the_import_alone_loads_nothing() -> None:
    program = "import ory_reader, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "ory_reader" in loaded
    costly = {"singer_sdk", "click", "google", "grpc", "requests", "msgspec", "jsonschema"}
    assert costly.isdisjoint(name.partition(".")[0] for name in loaded)
    assert {name for name in loaded if name.startswith(("ory_reader", "command_basics"))} == {"ory_reader"}


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ory_reader.nonsense


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Setting base_url is missing"),
        ({"base_url": "http://127.0.0.1:1", "pagesize": 3}, r"Unknown setting 'pagesize'; did you mean 'page_size'\?$"),
        ({"base_url": "http://127.0.0.1:1", "page_size": 5000}, "page_size must be at most 1000"),
        ({"base_url": "http://127.0.0.1:1", "api_token": f"{KEY} {KEY}"}, "api_token holds a space"),
        ({"base_url": "https://slug.projects.oryapis.com"}, "api_token is missing"),
    ],
)
def test_settings_are_checked_as_a_shells_are(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        ory_reader.settings(**given)
    assert KEY not in str(refused.value)


def settings_of(sandbox: Sandbox, **given: Any) -> Settings:
    return ory_reader.settings(base_url=sandbox.url, page_size=7, **given)


def ids(project: Settings, ranges: list[IdRange] | None) -> list[str]:
    with ory_reader.open_read(project, ranges) as read:
        records = ory_reader.decoder("identities", project, ory_reader.Plan((), {}), fields=[])
        # Decoded after the read, when a page still brings what it alone brings.
        pages = list(read.pages())
        found = [record["id"] for page in pages for record in records(page)]
        assert read.whole
        assert read.unreadable == []
        return found


@given(st.integers(0, 40), st.integers(1, 9), st.sampled_from(["v1.0", "v1.3"]), st.randoms(use_true_random=False))
@examples(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_the_ranges_of_a_plan_in_any_order_give_everybody_once(people: int, n: int, manner: str, random: Any) -> None:
    with Sandbox(people, manner=manner) as sandbox:
        project = settings_of(sandbox)
        plan = pickle.loads(pickle.dumps(ory_reader.plan(project, n)))
        assert len(plan.ranges) == (n if manner == "v1.3" and people > 1 else 1)
        ranges = list(plan.ranges)
        random.shuffle(ranges)
        cut = random.randrange(len(ranges) + 1)
        found = [each for one in ranges[:cut] for each in ids(project, [one])] + ids(project, ranges[cut:])
        assert sorted(found) == sorted(identity["id"] for identity in sandbox.identities)


def test_a_probe_is_one_request() -> None:
    with Sandbox(PEOPLE) as sandbox:
        ory_reader.plan(settings_of(sandbox, identity_schemas=False), 4)
        assert [each.target for each in sandbox.requests.log] == ["/admin/identities?page_size=1"]
        with pytest.raises(ValueError, match="at least one range"):
            ory_reader.plan(settings_of(sandbox), 0)


def test_ranges_can_be_made_fewer() -> None:
    with Sandbox(PEOPLE) as sandbox:
        ranges = ory_reader.plan(settings_of(sandbox), 7).ranges
    for n in range(1, 10):
        fewer = library.fewer(ranges, n)
        assert len(fewer) == min(n, 7)
        assert (fewer[0].after, fewer[-1].last) == (ranges[0].after, ranges[-1].last)
        assert [each.last for each in fewer[:-1]] == [each.after for each in fewer[1:]]
        assert {each.last for each in fewer} <= {each.last for each in ranges}


def test_a_plan_tells_the_rate_limits_and_what_it_spent() -> None:
    with Sandbox(PEOPLE, manner="network", api_token=KEY, rate_limit="9;w=1,100;w=60") as sandbox:
        plan = ory_reader.plan(settings_of(sandbox, api_token=KEY), typed=False)
        assert plan.rate_limits == ((9, 1.0), (100, 60.0))
        assert plan.spent == sandbox.requests.count == 1
        assert plan.trait_shapes == {}
        before = sandbox.requests.count
        plan = ory_reader.plan(settings_of(sandbox, api_token=KEY), stream="users", typed=False)
        assert plan.trait_shapes
        assert plan.spent == sandbox.requests.count - before
    with Sandbox(PEOPLE) as sandbox:
        assert ory_reader.plan(settings_of(sandbox)).rate_limits == ()


def test_a_plan_holds_no_key() -> None:
    with Sandbox(PEOPLE, api_token=KEY) as sandbox:
        project = settings_of(sandbox, api_token=KEY, http_headers={"X-Gateway": "gateway-secret"})
        plan = ory_reader.plan(project, 2)
        for text in (repr(plan).encode(), pickle.dumps(plan), repr(project).encode()):
            assert KEY.encode() not in text
            assert b"gateway-secret" not in text


def test_the_schemas_of_a_plan_are_those_of_its_time() -> None:
    with Sandbox(PEOPLE) as sandbox:
        project = settings_of(sandbox)
        plan = ory_reader.plan(project)
        before = sandbox.requests.count
        ory_reader.decoder("users", project, plan)
        assert sandbox.requests.count == before
        assert plan.schema("users")["properties"]["profile"]["properties"]["email"]["type"] == ["string", "null"]


@pytest.mark.parametrize(("stream", "fields"), [("nobody", None), ("users", ["nothing"])])
def test_streams_and_fields_must_be_there(stream: str, fields: list[str] | None) -> None:
    project = ory_reader.settings(base_url="http://127.0.0.1:1")
    with pytest.raises(KeyError, match=fields[0] if fields else stream):
        ory_reader.decoder(stream, project, ory_reader.Plan((), {}), fields)


def test_a_range_that_fails_raises() -> None:
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        good = settings_of(sandbox, api_token=KEY)
        (first, *_) = ory_reader.plan(good, 3).ranges
        read = ory_reader.open_read(settings_of(sandbox, api_token="ory_pat_wrong"), [first])
        with pytest.raises(AccessError):
            list(read.pages())
        assert not read.whole
        assert read.remaining() == [first]


@pytest.mark.parametrize("manner", ["v1.0", "v1.3"])
def test_a_read_that_breaks_off_raises_and_says_what_remains(manner: str) -> None:
    def breaking(*given: Any) -> Fetch:
        fetch, asked = page_fetcher(*given), []

        def each(token: str | None, size: int | None) -> Page:
            asked.append(token)
            if len(asked) > 3:
                message = "gone"
                raise UnavailableError(message)
            return fetch(token, size)

        return each

    with Sandbox(PEOPLE, manner=manner) as sandbox:
        project = settings_of(sandbox, concurrency=1)
        records = ory_reader.decoder("identities", project)
        found = list[str]()
        with mock.patch("ory_reader.resources.identities.page_fetcher", breaking):
            read = ory_reader.open_read(project)
        with pytest.raises(UnavailableError, match="gone"):
            found.extend(record["id"] for page in read.pages() for record in records(page))
        assert not read.whole
        rest = read.remaining()
        if manner == "v1.0":
            assert rest is None
        else:
            assert rest
            assert sorted(found + ids(project, rest)) == sorted(each["id"] for each in sandbox.identities)


def test_an_unreadable_identity_is_told_and_raised_behind_all_others() -> None:
    with Sandbox(PEOPLE) as sandbox, mock.patch("time.sleep"):
        bad = sandbox.identities[30]["id"]
        sandbox.make_unreadable(bad)
        project = settings_of(sandbox)
        ranges = ory_reader.plan(project, 3).ranges
        found = []
        for one in ranges:
            held = (one.after or "") < bad <= one.last
            records = ory_reader.decoder("identities", project)
            with ory_reader.open_read(project, [one]) as read:
                with pytest.raises(IncompleteError, match=bad) if held else nullcontext():
                    for page in read.pages():
                        found += [record["id"] for record in records(page)]
                assert read.whole is not held
                assert [each.last for each in read.unreadable] == [bad] * held
                assert read.remaining() == (None if held else [])
        assert sorted([*found, bad]) == sorted(each["id"] for each in sandbox.identities)


def test_the_first_identity_may_be_the_unreadable_one() -> None:
    with Sandbox(PEOPLE) as sandbox, mock.patch("time.sleep"):
        sandbox.make_unreadable(min(each["id"] for each in sandbox.identities))
        assert ory_reader.plan(settings_of(sandbox), 3).ranges == (IdRange(None, LAST_ID),)


def test_who_comes_again_in_a_second_pass_is_in_one_page_whenever_it_is_decoded() -> None:
    with Sandbox(PEOPLE, manner="v1.0") as sandbox:
        project = settings_of(sandbox)
        everybody = sorted(each["id"] for each in sandbox.identities)
        records = ory_reader.decoder("identities", project, fields=[])
        with ory_reader.open_read(project) as read:
            pages = [next(read.pages())]
            # All others move up by one, and one of them to where it was read before.
            sandbox.delete(sandbox.identities[0]["id"])
            pages += read.pages()
        assert read.whole
        assert sorted(record["id"] for page in pages for record in records(page)) == everybody


def test_a_read_of_no_ranges_is_whole_without_a_request() -> None:
    with ory_reader.open_read(ory_reader.settings(base_url="http://127.0.0.1:1"), []) as read:
        assert list(read.pages()) == []
        assert (read.whole, read.remaining()) == (True, [])


def test_closing_ends_the_readers_and_what_was_not_used_remains() -> None:
    with Sandbox(PEOPLE * 10) as sandbox:
        project = settings_of(sandbox)
        records = ory_reader.decoder("identities", project)
        found = []
        with ory_reader.open_read(project) as read:
            for number, page in enumerate(read.pages()):
                if number == 5:
                    # Begun and not used.
                    break
                found += [record["id"] for record in records(page)]
            readers = [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]
        for thread in readers:
            thread.join(10)
        assert not any(thread.is_alive() for thread in readers)
        assert not read.whole
        assert sorted(found + ids(project, read.remaining())) == sorted(each["id"] for each in sandbox.identities)
