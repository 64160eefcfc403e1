"""Files of the command line: what cannot be used is one line that names the file and its option."""

import io
import re
from pathlib import Path

import pytest

from ory_reader.errors import SettingsError
from tap_ory import files


def test_a_file_that_is_right_can_be_read_once_more(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_text('{"streams": ["\u00e9"]}', encoding="utf-8")
    files.check_file("--config", str(path))
    with path.open(encoding="utf-8") as file:
        assert files.checked("--catalog", file).read() == '{"streams": ["\u00e9"]}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON: Expecting value in line 1"),
        (b'{"a": 1,\n secret}', "is no JSON: Expecting property name enclosed in double quotes in line 2"),
        (b'{"a": "\xff"}', "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'["secret"]', "holds no JSON object"),
        (b'"secret"', "holds no JSON object"),
        (b"null", "holds no JSON object"),
    ],
)
def test_what_is_no_json_object_is_told_without_what_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"^The file '{re.escape(str(path))}' given to --config {reason}.$") as told:
        files.check_file("--config", str(path))
    assert "secret" not in str(told.value)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        files.check_file("--config", str(tmp_path / "none.json"))
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        files.check_file("--config", str(tmp_path))


def test_the_standard_input_has_a_name_too() -> None:
    text = io.StringIO("[]")
    text.name = "<stdin>"
    with pytest.raises(SettingsError, match="'<stdin>' given to --state holds no JSON object"):
        files.checked("--state", text)
