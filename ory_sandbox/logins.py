"""How people sign in: the ``credentials`` of an identity, by template as in ``people``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ory_sandbox import sample_data, sample_words
from ory_sandbox.render import to_json
from ory_sandbox.schemas import PERSON, PRESET, STAFF
from ory_sandbox.store import marked_config

if TYPE_CHECKING:
    from ory_sandbox.server_profiles import Manner

_NO_TOKENS = {"initial_id_token": "", "initial_access_token": "", "initial_refresh_token": ""}


class Logins:
    """Writes credentials as a server of one manner serves them."""

    def __init__(self, manner: Manner) -> None:
        """Prepare the parts that many people share."""
        self._sign_in_code = manner.sign_in_code
        link = _NO_TOKENS | {"subject": "SUBJECT", "provider": "PROVIDER"}
        if manner.keyset:
            link["organization"] = ""
        self._social = marked_config("oidc", to_json({"providers": [link]}))
        self._password = marked_config("password", to_json(sample_words.PASSWORD))
        self._no_password = marked_config("password", "{}")
        self._recovery_codes = marked_config("lookup_secret", to_json(sample_words.RECOVERY_CODES))

    def credentials(
        self,
        identity_id: str,
        rolls: bytes,
        schema_id: str,
        identifiers: tuple[str, ...],
        moments: tuple[str, str],
    ) -> str:
        """What the schema gives everybody, and what only some have set up, by type in alphabetical order.

        Args:
            identity_id: Whose.
            rolls: Eight random bytes.
            schema_id: The identity's schema.
            identifiers: What the schema names as identifiers, sorted.
            moments: When the identity was created and last changed, to the second.
        """
        created, later = moments
        created_at = f"{created}{sample_data.MICROSECONDS[rolls[0]]}Z"
        updated_at = created_at
        if sample_data.CREDENTIALS_UPDATED_LATER[rolls[1]]:
            updated_at = f"{later}{sample_data.MICROSECONDS[rolls[2]]}Z"
        ending = f'"created_at":"{created_at}","updated_at":"{updated_at}"}}'
        quoted = '","'.join(identifiers)
        named, own = f'"identifiers":["{quoted}"]', f'"identifiers":["{identity_id}"]'
        found = []
        if schema_id == PRESET and self._sign_in_code:
            config = marked_config("code", f'{{"addresses":[{{"channel":"email","address":"{identifiers[0]}"}}]}}')
            found.append(f'"code":{{"type":"code",{named},{config}"version":1,{ending}')
        if sample_data.HAS_RECOVERY_CODES[rolls[3]]:
            codes = self._recovery_codes
            found.append(f'"lookup_secret":{{"type":"lookup_secret",{own},{codes}"version":0,{ending}')
        provider = sample_data.PROVIDER[rolls[4]] if schema_id != STAFF else ""
        if provider:
            subject = identity_id[:18]
            config = self._social.replace("SUBJECT", subject).replace("PROVIDER", provider)
            linked = f'"identifiers":["{provider}:{subject}"]'
            found.append(f'"oidc":{{"type":"oidc",{linked},{config}"version":0,{ending}')
        # Listed even for those who only sign in through somebody else.
        config = self._no_password if provider else self._password
        found.append(f'"password":{{"type":"password",{named},{config}"version":0,{ending}')
        if sample_data.HAS_TOTP[rolls[5]]:
            url = f'{{"totp_url":"otpauth://totp/Sandbox:{identifiers[0]}?issuer=Sandbox"}}'
            found.append(f'"totp":{{"type":"totp",{own},{marked_config("totp", url)}"version":0,{ending}')
        if schema_id == PERSON:
            handle = base64.b64encode(bytes.fromhex(identity_id.replace("-", ""))).decode()
            config = f'{{{sample_data.SECURITY_KEYS[rolls[6]]}"user_handle":"{handle}"}}'
            key = marked_config("webauthn", config)
            found.append(f'"webauthn":{{"type":"webauthn",{named},{key}"version":1,{ending}')
        return "{" + ",".join(found) + "}"
