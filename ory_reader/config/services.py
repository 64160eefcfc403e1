"""The servers that a project is made of: which settings say where each is, and what it is called.

On Ory Network one host and one key serve Kratos, Hydra and Keto; self-hosted, each has its own address.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One server: `url` and `token` are the settings for its address and its key."""

    title: str
    url: str
    token: str


KRATOS = Service("Ory Kratos", "base_url", "api_token")
HYDRA = Service("Ory Hydra", "oauth2_url", "oauth2_token")
KETO = Service("Ory Keto", "permissions_url", "permissions_token")
CONSOLE = Service("the API of the Ory Console", "console_url", "console_token")
SERVICES = (KRATOS, HYDRA, KETO, CONSOLE)
#: Those that Ory Network serves at base_url, with the key of that.
OF_NETWORK = (HYDRA, KETO)
