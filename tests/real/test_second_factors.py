"""Second factors against Ory Kratos' own count: the column `available_aal` of its database, for every combination.

What can be imported is imported; what this release takes from a browser only lies in its tables as it writes it,
and the server counts it itself when the identity is next written.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import combinations
from typing import Any

import pytest
import requests

from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync
from tests.real.enrolment import store_credential
from tests.real.people import PASSWORD_HASH
from tests.real.server import Kratos
from tests.real.test_users import document, trait
from tests.servers import run_kratos

Json = dict[str, Any]
SECOND, FIRST = {"is_passwordless": False}, {"is_passwordless": True}
#: Configs by a name for each; the type is the name's first word.
CONFIGS: dict[str, Json] = {
    "password": {"hashed_password": PASSWORD_HASH},
    "oidc": {"providers": [{"provider": "github", "subject": "SUBJECT"}]},
    "totp": {"totp_url": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"},
    "lookup_secret": {"recovery_codes": [{"code": "abcd1234"}]},
    "webauthn second": {"credentials": [SECOND]},
    "webauthn first": {"credentials": [FIRST]},
    "webauthn both": {"credentials": [FIRST, SECOND]},
    "webauthn unsaid": {"credentials": [{}]},
    "webauthn none": {"user_handle": "aGFuZGxl"},
    "webauthn empty": {"credentials": []},
    "passkey": {"credentials": [FIRST]},
    "code": {"addresses": [{"channel": "email", "address": "code@example.com"}]},
}
KINDS = ("password", "oidc", "totp", "lookup_secret", "passkey", "code")
WEBAUTHN = [None, *(name for name in CONFIGS if name.startswith("webauthn"))]
#: Everybody: each set of the other types with each kind of webauthn, and without.
PEOPLE = [
    (*(chosen), *([keys] if keys else []))
    for size in range(len(KINDS) + 1)
    for chosen in combinations(KINDS, size)
    for keys in WEBAUTHN
]
SCHEMAS = {"plain": document("plain", note={"type": "string"}), "named": document("named", username=trait())}


class Project:
    """The server with all people, and its own count of each."""

    def __init__(self, kratos: Kratos) -> None:
        self.kratos = kratos
        self.people: dict[str, tuple[str, ...]] = {}
        for number, kinds in enumerate(PEOPLE):
            identity_id = kratos.create({"schema_id": "plain", "traits": {}})["id"]
            self.people[identity_id] = kinds
            for name in kinds:
                config = json.loads(json.dumps(CONFIGS[name]).replace("SUBJECT", f"sub-{number}"))
                kind = name.partition(" ")[0]
                identifiers = [f"github:sub-{number}" if kind == "oidc" else f"{kind}-{number}@example.com"]
                store_credential(kratos, identity_id, kind, identifiers, config)
        patch = [{"op": "replace", "path": "/metadata_public", "value": {"written": True}}]
        for identity_id in self.people:
            requests.patch(
                f"{kratos.admin_url}admin/identities/{identity_id}", json=patch, timeout=30
            ).raise_for_status()
        with closing(sqlite3.connect(kratos.database)) as database:
            self.levels = dict(database.execute("SELECT id, available_aal FROM identities"))

    def users(self, **config: Any) -> dict[str, Json]:
        config["base_url"] = self.kratos.admin_url
        catalog: Json = json.loads(json.dumps(TapOry(config=config, setup_mapper=False).catalog_dict))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] == "users"
        found = {each["id"]: each for each in records(sync(config, catalog=catalog))}
        assert sorted(found) == self.kratos.all_ids()
        return found


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with run_kratos("v1.3.1", 0, SCHEMAS) as kratos:
        yield Project(kratos)


def test_the_server_has_counted(project: Project) -> None:
    assert set(project.levels.values()) == {"aal0", "aal1", "aal2"}
    # This release counts a code for nobody unless it is told to; see the test below.
    assert len(project.people) == 2 ** len(KINDS) * len(WEBAUTHN)


@pytest.mark.parametrize("page_size", [500, 1])
def test_exact_says_what_the_server_counts_for_everybody(project: Project, page_size: int) -> None:
    for identity_id, found in project.users(credential_metadata="exact", page_size=page_size).items():
        kinds = project.people[identity_id]
        assert found["mfa_enabled"] is (project.levels[identity_id] == "aal2"), kinds
        assert found["mfa_enabled"] is bool(found["mfa_methods"]), kinds
        assert found["sso_enabled"] is ("oidc" in kinds)


def test_what_is_only_listed_is_never_called_what_it_is_not(project: Project) -> None:
    unknown = set()
    for identity_id, found in project.users(credential_metadata=True).items():
        if found["mfa_enabled"] is None:
            unknown.add(project.people[identity_id])
            assert found["mfa_methods"] is None
        else:
            assert found["mfa_enabled"] is (project.levels[identity_id] == "aal2"), project.people[identity_id]
    # Only who has a webauthn credential, and no other second factor, is not known.
    assert unknown == {
        kinds
        for kinds in PEOPLE
        if any(kind.startswith("webauthn") for kind in kinds) and not {"totp", "lookup_secret"}.intersection(kinds)
    }


@pytest.mark.parametrize("setting", [True, "exact"])
def test_a_code_counts_for_whoever_has_an_address_for_it(project: Project, setting: object) -> None:
    for identity_id, found in project.users(credential_metadata=setting, code_mfa_enabled=True).items():
        kinds = project.people[identity_id]
        if "code" in kinds:
            assert (found["mfa_enabled"], "code" in found["mfa_methods"]) == (True, True)
        elif found["mfa_enabled"] is not None or setting == "exact":
            assert found["mfa_enabled"] is (project.levels[identity_id] == "aal2"), kinds


def test_the_explanation_says_what_counts(project: Project) -> None:
    environment = {"TAP_ORY_BASE_URL": project.kratos.admin_url}
    assert "mfa_enabled is null" in run_tap("--explain-users", environment=environment).stdout
    environment["TAP_ORY_CREDENTIAL_METADATA"] = "exact"
    shown = run_tap("--explain-users", environment=environment).stdout
    assert "is_passwordless false" in shown
    assert "Not code: set code_mfa_enabled" in shown
    environment["TAP_ORY_CODE_MFA_ENABLED"] = "true"
    assert "code, if the credential has an address" in run_tap("--explain-users", environment=environment).stdout
