"""Every error that a user can meet, provoked: the real command ends with exit code 1 and one line that helps.

With `-s`, the table of them is printed: what went wrong, how it was provoked, what was said.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.certificates import self_signed
from tests.command import KEY, Finished, run_tap
from tests.ports import refusing_port
from tests.scripted import LAST_PAGE, ScriptedServer, always, reply

PERSON = "ada.lovelace@example.com"
FORBIDDEN = (
    b'{"error":{"code":403,"status":"Forbidden","message":"Access credentials are not sufficient to access this '
    b'resource"}}'
)
#: Short enough to wait for it three times.
TIMEOUT = {"TAP_ORY_REQUEST_TIMEOUT": "0.5"}


@dataclass(frozen=True)
class Case:
    """What went wrong, how it was provoked, what the line must say, and the command's arguments and environment."""

    name: str
    how: str
    says: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def at(url: str, name: str, how: str, *says: str, **environment: str) -> Case:
    """A case of a server."""
    return Case(
        name,
        how,
        says,
        environment={
            "TAP_ORY_BASE_URL": url,
            "TAP_ORY_API_TOKEN": KEY,
            **environment,
        },
    )


def refusing(stack: ExitStack) -> Iterator[Case]:
    """The server answers, and says no."""
    network = stack.enter_context(Sandbox(1, manner="network", api_token="ory_pat_another")).url
    yield at(network, "401", "a key of another project", "401 Unauthorized (Access credentials", "Check api_token")
    yield at(network, "401, no key", "a server that wants a key, none set", "Set api_token", TAP_ORY_API_TOKEN="")
    yield at(
        stack.enter_context(always(*reply(403, FORBIDDEN))).url,
        "403",
        "a server that answers as Ory Network to a key without the right",
        "403 Forbidden (Access credentials are not sufficient",
        "api_token",
        "project API key",
    )
    local = stack.enter_context(Sandbox(1))
    yield at(local.url, "workspace key", "an ory_wak_ key", "api_token", "workspace", TAP_ORY_API_TOKEN="ory_wak_x")
    yield at(f"{local.url}admin/nope", "404", "a wrong path prefix", "404 Not Found", "base_url")
    yield at(local.public_url, "307, another host", "Kratos' public port", local.url[:-1], "base_url", "public port")
    loop = ScriptedServer(lambda asked, number: reply(307, b"", Location=asked.target))
    yield at(stack.enter_context(loop).url, "redirect loop", "a redirect to itself", "redirect loop", "base_url")
    yield at(
        stack.enter_context(always(*reply(501, b"{}"))).url, "501", "a server of something else", "501", "base_url"
    )
    yield at(
        stack.enter_context(always(*reply(302, b"", Location="http://["))).url,
        "broken redirect",
        "a redirect to http://[",
        "no address",
        "base_url",
    )


def misunderstanding(stack: ExitStack) -> Iterator[Case]:
    """The server answers 200, and not what was asked for."""
    bodies = [
        ("HTML with 200", "a login page", b"<!doctype html><p>Sign in", "text/html", "an HTML page"),
        ("text with 200", "a plain text", b"It works!", "text/plain", "text/plain"),
        ("nothing with 200", "an empty body of known length", b"", "application/json", "instead of JSON"),
        ("{} with 200", "an empty JSON object", b"{}", "application/json", "not a list of identities"),
        (
            "error with 200",
            "Ory's error body, with a person in it",
            b'{"error":{"message":"%b"}}' % PERSON.encode(),
            "application/json",
            "not a list of identities",
        ),
    ]
    for name, how, body, kind, said in bodies:
        url = stack.enter_context(always(*reply(200, body, kind))).url
        yield at(url, name, f"a server that answers {how}", said, "base_url")


def absent(stack: ExitStack, directory: Path) -> Iterator[Case]:
    """No answer comes."""
    yield at("http://tap-ory.invalid", "unknown name", "a host of .invalid", "'tap-ory.invalid' does not resolve")
    nowhere = f"127.0.0.1:{refusing_port(stack)}"
    yield at(f"http://{nowhere}", "connection refused", "a port without a server", "refused", "base_url")
    bundle, context = self_signed(directory)
    tls = stack.enter_context(always(*reply(), tls=context)).url
    yield at(tls, "TLS: untrusted", "a self-signed certificate", "self-signed", "ca_bundle")
    elsewhere = tls.replace("127.0.0.1", "localhost")
    yield at(elsewhere, "TLS: name", "its certificate, by another name", "base_url", TAP_ORY_CA_BUNDLE=str(bundle))
    plain = stack.enter_context(always(*reply())).url
    yield at(plain.replace("http", "https"), "TLS: none there", "https to an http port", "TLS", "scheme")
    yield at(tls.replace("https", "http"), "TLS: wanted", "http to an https port", "the connection broke", "base_url")
    silent = stack.enter_context(ScriptedServer(lambda asked, number: silent.stall()))
    yield at(
        silent.url, "time-out", "a server that never answers", "no answer within 0.5 s", "request_timeout", **TIMEOUT
    )
    yield at(
        full(stack), "time-out before", "a port that takes no more", "no connection within 0.5 s", "base_url", **TIMEOUT
    )
    proxy = f"http://user:secret@{nowhere}"
    yield at(plain, "no proxy", "HTTP_PROXY without a server", "the proxy", "HTTP_PROXY", HTTP_PROXY=proxy)


def misconfigured(directory: Path) -> Iterator[Case]:
    """No request is made."""
    base = {"TAP_ORY_BASE_URL": "http://127.0.0.1:1", "TAP_ORY_API_TOKEN": KEY}
    yield Case("no settings", "an empty environment", ("Setting base_url is missing", "TAP_ORY_BASE_URL"))
    yield Case(
        "no key for Ory Network",
        "base_url of a project alone",
        ("Setting api_token is missing", "Ory Console"),
        environment={"TAP_ORY_BASE_URL": "https://slug.projects.oryapis.com"},
    )
    yield Case("no URL", "base_url without a scheme", ("base_url", "https://"), environment={"BATON_BASE_URL": "ory"})
    for name, value in (("PAGE_SIZE", "many"), ("CREDENTIAL_METADATA", "perhaps")):
        how = f"TAP_ORY_{name}={value}"
        yield Case(f"{name.lower()} of a wrong type", how, (f"TAP_ORY_{name}",), (), {**base, f"TAP_ORY_{name}": value})
    yield Case(
        "a ca_bundle that is not there",
        "a path without a file",
        ("ca_bundle",),
        (),
        {**base, "TAP_ORY_CA_BUNDLE": "no"},
    )
    yield Case(
        "a stream map that is none",
        "an expression cut short",
        ("stream_maps", "foo("),
        (),
        {**base, "TAP_ORY_STREAM_MAPS": '{"identities": {"x": "foo("}}'},
    )
    files = {
        "types": f'{{"base_url": 1, "page_size": "x", "api_token": ["{KEY}"]}}',
        "broken": f'{{"api_token": "{KEY}", ',
        "list": f'["{KEY}"]',
        "right": f'{{"base_url": "http://127.0.0.1:1", "api_token": "{KEY}"}}',
    }
    for name, text in files.items():
        (directory / name).write_text(text)
    wrong = ("base_url must be of type string", "page_size must be of type integer", "api_token must be of type string")
    yield Case("settings of wrong types", "a file of them", wrong, ("--config", str(directory / "types")))
    for name, how in (("none", "cannot be read"), ("broken", "is no JSON"), ("list", "holds no JSON object")):
        path = str(directory / name)
        yield Case(f"a --config that {how}", "such a file", (path, "--config", how), ("--config", path))
    path = str(directory / "broken")
    for option in ("--catalog", "--state"):
        arguments = ("--config", str(directory / "right"), option, path)
        yield Case(f"a {option} that is no JSON", "such a file", (path, option, "is no JSON"), arguments)


def full(stack: ExitStack) -> str:
    """A listening socket whose queue is full: a connection to it is never made."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.settimeout(0)
        waiting.connect_ex(server.getsockname())
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def cases(stack: ExitStack, directory: Path) -> list[Case]:
    return [
        *refusing(stack),
        *misunderstanding(stack),
        *absent(stack, directory),
        *misconfigured(directory),
    ]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Case, Finished]]]:
    """Every case and how its run ended. Side by side, as most of them wait."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        everything = cases(stack, tmp_path_factory.mktemp("errors"))
        runs = pool.map(lambda case: run_tap(*case.arguments, environment=case.environment), everything)
        yield list(zip(everything, runs, strict=True))


def test_each_is_one_line_that_names_what_to_look_at(outcomes: list[tuple[Case, Finished]]) -> None:
    rows = []
    for case, run in outcomes:
        errors = run.logged("ERROR")
        assert run.code == 1, (case, run)
        assert len(errors) == 1, (case, run.stderr)
        for words in case.says:
            assert words in errors[0], case
        assert "Traceback" not in run.stderr, case
        assert 'File "' not in run.stderr, case
        assert "fault of tap-ory" not in run.stderr, case
        rows.append(f"{case.name} | {case.how} | {errors[0]}")
    assert len({case.name for case, _ in outcomes}) == len(outcomes) > 30
    print("\n\nerror | how it was provoked | line printed", *rows, sep="\n")  # noqa: T201


def test_none_tells_the_key_or_a_person(outcomes: list[tuple[Case, Finished]]) -> None:
    for case, run in outcomes:
        told = run.stdout + run.stderr
        for secret in (KEY, KEY[8:], PERSON, "user:secret"):
            assert secret not in told, case


def test_none_leaves_a_target_to_delete_rows(outcomes: list[tuple[Case, Finished]]) -> None:
    for case, run in outcomes:
        assert {message["type"] for message in run.messages} <= {"SCHEMA", "STATE"}, case


DEBUGGED = ["403", "HTML with 200", "TLS: untrusted", "no proxy"]


def test_debugging_adds_a_traceback_and_not_the_key(outcomes: list[tuple[Case, Finished]]) -> None:
    chosen = [case for case, _ in outcomes if case.name in DEBUGGED]
    assert len(chosen) == len(DEBUGGED)
    with ThreadPoolExecutor(3) as pool:
        runs = pool.map(
            lambda case: run_tap(*case.arguments, environment={**case.environment, "TAP_ORY_LOGLEVEL": "debug"}), chosen
        )
    for case, run in zip(chosen, runs, strict=True):
        assert run.code == 1
        assert len(run.logged("ERROR")) == 1
        assert "Traceback (most recent call last)" in run.stderr
        for secret in (KEY, KEY[8:], PERSON, "user:secret"):
            assert secret not in run.stdout + run.stderr, case


def test_a_private_ca_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    bundle, context = self_signed(tmp_path)
    with always(*reply(200, b'[{"id":"a"}]', Link=LAST_PAGE), tls=context) as server:
        case = at(server.url, "", "", TAP_ORY_CA_BUNDLE=str(bundle), TAP_ORY_IDENTITY_SCHEMAS="off")
        run = run_tap(environment=case.environment)
        # What others are told to trust does not win over it.
        crossed = run_tap("--check", environment={**case.environment, "REQUESTS_CA_BUNDLE": __file__})
    assert (run.code, crossed.code) == (0, 0)
    assert [message["record"] for message in run.messages if message["type"] == "RECORD"] == [{"id": "a"}]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_authorities_of_the_environment_are_trusted_if_they_are_there(tmp_path: Path, variable: str) -> None:
    bundle, context = self_signed(tmp_path)
    with always(*reply(200, b"[]", X_Total_Count="0"), tls=context) as server:
        case = at(server.url, "", "", **{variable: str(bundle)})
        trusted = run_tap("--check", environment=case.environment)
        missing = run_tap("--check", environment={**case.environment, variable: str(tmp_path / "none.pem")})
    assert (trusted.code, missing.code) == (0, 1)
    (line,) = missing.logged("ERROR")
    assert f"TLS to {server.host} failed: no certificate authorities are where" in line
