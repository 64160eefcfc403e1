"""CSV and baton-file JSON: what was put in comes out again, in Python and in spreadsheets."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped] # has no stubs of its own
import pytest

from target_c1.errors import SettingsError
from target_c1.settings import Settings
from tests.target_c1.npm import installed
from tests.target_c1.support import environment, publish, user, users_read, whole_read

PLAIN = ["Ada Lovelace", "O'Neil, Ada", 'Ada "the" first', "two\nlines", "two\r\nlines", "a;b\tc", "名前 😀", "'quoted"]
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x","y")',
    "\tx",
    "\rx",
    "\n=1",
    "\uff1d1+1",
    "\uff201",
    "'=1+1",
    "''-1",
]
COLUMNS = [
    "User ID",
    "Email Address",
    "Username",
    "First Name",
    "Last Name",
    "Full Name",
    "User Status",
    "User Type",
    "Last Login",
]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one_line_end(text: str) -> str:
    """Spreadsheets know one kind of line end within a cell."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.fixture(scope="module")
def names_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of users with all these names."""
    path = tmp_path_factory.mktemp("csv") / "users.csv"
    publish(whole_read(user(number, display_name=name) for number, name in enumerate(PLAIN + FORMULAS)), path)
    return path


def test_the_columns_are_those_that_c1_maps_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    service = user(1, account_type="service", status="inactive", last_login="2026-01-02T05:04:05.5+02:00", login="svc")
    publish(whole_read([user(0, status=None, account_type=None, email=None, emails=[], login=None), service]), path)
    first, second = read_csv(path)
    assert list(first) == COLUMNS
    assert list(first.values()) == [user(0)["id"], "", "", "Ada", "0", "Ada 0", "", "", ""]
    assert list(second.values()) == [
        user(1)["id"],
        "user1@example.com",
        "svc",
        "Ada",
        "1",
        "Ada 1",
        "disabled",
        "Service",
        "2026-01-02T03:04:05Z",
    ]


def test_pythons_csv_gives_back_what_was_put_in(names_csv: Path) -> None:
    found = [row["Full Name"] for row in read_csv(names_csv)]
    assert found[: len(PLAIN)] == PLAIN
    # One apostrophe in front of what a spreadsheet would calculate; taking it away gives the value.
    assert found[len(PLAIN) :] == [f"'{name}" for name in FORMULAS]


def test_a_workbook_of_its_cells_has_no_formula(names_csv: Path, tmp_path: Path) -> None:
    names = [row["Full Name"] for row in read_csv(names_csv)]
    workbook = openpyxl.Workbook()
    for name in names:
        workbook.active.append([name])
    workbook.save(tmp_path / "users.xlsx")
    found = [row[0] for row in openpyxl.load_workbook(tmp_path / "users.xlsx").active]
    assert {cell.data_type for cell in found} == {"s"}
    assert [one_line_end(cell.value) for cell in found] == list(map(one_line_end, names))


def test_a_spreadsheet_library_opens_it_and_finds_the_values_and_no_formula(names_csv: Path) -> None:
    package = installed("xlsx")
    script = """
        const XLSX = require(process.argv[1]);
        const sheet = XLSX.readFile(process.argv[2], {cellFormula: true, codepage: 65001}).Sheets.Sheet1;
        const cells = Object.entries(sheet).filter(([name]) => /^F[0-9]+$/.test(name)).map(([, cell]) => cell);
        console.log(JSON.stringify(cells.slice(1).map(cell => [cell.f === undefined, cell.t, cell.v])));
    """
    done = subprocess.run(
        ["node", "-e", script, str(package), str(names_csv)],
        capture_output=True,
        check=True,
        timeout=60,
        env=environment(),
    )
    cells = json.loads(done.stdout)
    assert [plain for plain, _, _ in cells] == [True] * len(PLAIN + FORMULAS)
    assert {kind for _, kind, _ in cells} == {"s"}
    assert [one_line_end(value) for _, _, value in cells] == [
        one_line_end(row["Full Name"]) for row in read_csv(names_csv)
    ]


def test_the_ids_of_a_csv_are_read_back_for_the_comparison(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    records = [user(number, id=f"{sign}{number}") for number, sign in enumerate(["=", "'", "''@", "", 'a"b,', "x\n"])]
    publish(whole_read(records), path)
    publish(whole_read(records), path, max_drop_percent=0)


JSON_USER = {
    "id": "00000000-0000-4000-8000-000000000009",
    "display_name": "Ada 9",
    "email": "user9@example.com",
    "additional_emails": ["second@example.com"],
    "status": "disabled",
    "status_details": "inactive in Ory since 2026-01-02T03:04:05Z",
    "type": "human",
    "login": "user9@example.com",
    "login_aliases": ["nine"],
    "employee_id": "E-9",
    "last_login": "2026-01-02T03:04:05Z",
    "mfa_enabled": True,
    "sso_enabled": False,
}


def test_a_user_in_json(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    fields: dict[str, Any] = {
        "emails": ["user9@example.com", "second@example.com"],
        "login_aliases": ["nine"],
        "last_login": "2026-01-02T03:04:05.999Z",
        "mfa_enabled": True,
        "sso_enabled": False,
        "profile": {"big": 2**53 + 1, "negative": -(2**60), "list": [2**70], "float": 1.5},
    }
    publish(whole_read([user(9, **fields)]), path)
    found = json.loads(path.read_text())
    assert set(found) == {"users", "resources", "entitlements", "direct_user_grants"}
    (person,) = found["users"]
    profile = person.pop("profile")
    assert person == JSON_USER
    assert profile["traits"] == {"big": str(2**53 + 1), "negative": str(-(2**60)), "list": [str(2**70)], "float": 1.5}


def test_what_is_unknown_is_left_out_of_json(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    publish(whole_read([{"id": "1"}]), path)
    assert json.loads(path.read_text())["users"] == [{"id": "1", "display_name": "1", "profile": {"user_id": "1"}}]


@pytest.mark.parametrize("number", [0, 1, 2, 1500])
def test_any_number_of_users_is_valid_json(number: int, tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    publish(users_read(number), path, min_users=0)
    found = json.loads(path.read_text())["users"]
    assert [each["id"] for each in found] == [user(each)["id"] for each in range(number)]
    publish(users_read(number), path, min_users=0, max_drop_percent=0)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_repeated_id_is_one_user_as_it_came_last(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    publish(whole_read([user(1), user(2), user(1, display_name="the last")]), path)
    text = path.read_text()
    assert text.count(user(1)["id"]) == (1 if form == "csv" else 2)  # in JSON once more in the profile
    assert "the last" in text
    assert "Ada 1" not in text


@pytest.mark.parametrize(
    ("path", "form", "expected"),
    [
        ("a.c1z", None, "c1z"),
        ("a.CSV", None, "csv"),
        ("s3://b/a.json", None, "json"),
        ("a", None, "c1z"),
        ("a.txt", "json", "json"),
        ("a.c1z", "csv", "csv"),
    ],
)
def test_the_format_is_the_suffix_or_what_is_asked_for(path: str, form: str | None, expected: str) -> None:
    assert Settings.from_config({"path": path, "format": form}).format == expected


@pytest.mark.parametrize("path", ["a.txt", "a.c1z.gz", "", "  ", "directory/"])
def test_paths_that_say_no_format_or_file(path: str) -> None:
    with pytest.raises(SettingsError):
        Settings.from_config({"path": path})
