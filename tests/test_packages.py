"""What is built for a package index: what is in it, what it says of itself, and what it is without this checkout."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

from tests.checkout import own_files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a wheel and an sdist: `DIST`, where they have been built already."""
    if given := os.environ.get("DIST"):
        return ROOT / given
    directory = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return directory


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_the_program_and_its_schemas(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [PurePosixPath(name) for name in archive.namelist()]
    content = [name for name in names if not name.parts[0].endswith(".dist-info")]
    assert {name.suffix or name.name for name in content} == {".py", ".pyi", ".typed", ".json"}
    schemas = {name.name for name in content if name.match("ory_reader/schemas/*.json")}
    assert schemas == {path.name for path in (ROOT / "schemas").glob("*.json")}
    assert {name.parts[0] for name in content if name.name == "py.typed"} >= {"tap_ory", "ory_reader"}


def test_the_schemas_are_found_where_the_wheel_is(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", "import ory_reader.streams as s; print(s.SCHEMAS)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert found == str(tmp_path / "ory_reader" / "schemas")


def test_each_link_of_the_readme_leads_into_the_repository_at_this_version(metadata: Message) -> None:
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    assert all(url.startswith(urls["Repository"]) for url in urls.values())
    text = str(metadata.get_payload())
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert all(target.startswith(("https://", "#")) for target in targets)
    assert re.findall(r"\[[^\]]*\]: ", text) == []
    place = rf"{re.escape(urls['Repository'])}/(?:blob|raw)/v{re.escape(metadata['Version'])}/([^#]+)"
    ours = [found[1] for target in targets if (found := re.fullmatch(place + "(?:#.+)?", target))]
    assert {"docs/speed.svg", "docs/c1.md", "schemas/users.json"} <= set(ours)
    assert [path for path in ours if not (ROOT / path).exists()] == []
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_the_readme_names_the_repository_once(metadata: Message) -> None:
    (line, *others) = re.findall(
        r".*github\.\S*your-org.*|REPOSITORY=.*", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    assert (line, others) == (f"REPOSITORY=git+{urls['Repository']}", [])


def test_no_extra_is_empty_and_the_stores_are_extras_of_their_own(metadata: Message) -> None:
    wanted: dict[str, set[str]] = {extra: set() for extra in metadata.get_all("Provides-Extra", [])}
    for each in metadata.get_all("Requires-Dist", []):
        if found := re.fullmatch(r"([\w-]+)[^;]*; extra == '([\w-]+)'", each):
            wanted[found[2]].add(found[1])
    assert all(wanted.values())
    assert wanted["c1-s3"] - wanted["c1"] == {"s3fs"}
    assert wanted["c1-azure"] - wanted["c1"] == {"adlfs"}
    assert {"s3fs", "adlfs"} & (wanted["c1"] | wanted["connector"]) == set()


def test_the_sdist_brings_what_its_tests_want(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    assert [name for name in own_files() if name not in names] == []
    assert not [name for name in names if name.startswith((".cache", ".venv", "output"))]


@pytest.mark.parametrize(
    ("archive", "options"), [("*.whl", ["--version", "--help"]), ("*.tar.gz", ["--version"])], ids=["wheel", "sdist"]
)
def test_each_command_runs_where_nothing_else_is(
    archive: str, options: list[str], built: Path, metadata: Message, tmp_path: Path
) -> None:
    (found,) = built.glob(archive)
    place, uv = tmp_path / "venv", str(Path(sys.executable).with_name("uv"))
    pinned = ["--constraint", "constraints.txt", "--build-constraint", "constraints.txt"]
    for arguments in (
        ["venv", "--python", sys.executable, str(place)],
        ["pip", "install", "--python", str(place), *pinned, f"tap-ory[c1,connector] @ {found.resolve().as_uri()}"],
    ):
        done = subprocess.run([uv, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    said = {"--version": metadata["Version"], "--help": "--"}
    for name in ("tap-ory", "target-c1", "ory-connector", "source-ory"):
        for option in options:
            command = [str(place / "bin" / name), option]
            done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
            assert (done.returncode, said[option] in done.stdout) == (0, True), done.stdout + done.stderr
    (packages,) = place.glob("lib/*/site-packages")
    assert not {"s3fs", "adlfs", "meltano", "pytest"} & {path.name for path in packages.iterdir()}
