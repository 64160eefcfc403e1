"""The examples of docs/target-c1.md are taken from the page and run as they are."""

import json
import re
from pathlib import Path

from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import blobs_of, run_command, to_lines, whole_read

PAGE = (Path(__file__).parents[2] / "docs" / "target-c1.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EMPLOYEE = {
    "uid": "e-1",
    "given": "Ada",
    "family": "Lovelace",
    "mail": "ada@example.com",
    "other_mails": ["ada@example.org"],
    "state": "suspended",
    "number": 7,
    "badge": "B-7",
    "factors": {"webauthn": 1},
    "team": "engines",
    "attributes": {"floor": 3, "keys": ["a"]},
}


def test_the_mapping_makes_users_of_any_stream(tmp_path: Path) -> None:
    settings = json.loads(EXAMPLE)
    file = tmp_path / settings["path"]
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**settings, "path": str(file)}))
    done = run_command(to_lines(whole_read([EMPLOYEE], settings["stream"])), "--config", str(config))
    assert done.code == 0, done.stderr
    assert not done.logged("WARNING")
    (blob,) = blobs_of(file, tmp_path)
    resource = new("Resource").FromString(blob)
    trait = user_trait(resource)
    assert (resource.id.resource, resource.display_name) == ("e-1", "Ada Lovelace")
    assert [each.address for each in trait.emails] == ["ada@example.com", "ada@example.org"]
    assert resource.status.status == 2
    assert list(trait.employee_ids) == ["7", "B-7"]
    assert trait.mfa_status.mfa_enabled
    profile = {name: value for name, value in resource.profile.items() if name != "user_id"}
    assert profile == {"team": "engines", "floor": 3}
