"""What the families of servers are known to differ in, and nothing else.

Read off running servers: Kratos v1.0.0 and v1.3.1 here, v26.2.0 for what holds on Ory Network too.
"""

from dataclasses import dataclass
from typing import Final

from tests.servers import Manner


@dataclass(frozen=True)
class Family:
    """One family's traits.

    Attributes:
        keyset: the page token is the last row's id, and ids ascend; else it is an offset, and they descend.
        page_of_size_zero: how many rows `page_size=0` gives.
        biggest_numbered_page: the maximum of `per_page`, which differs from that of `page_size`.
        refuses_deep_pages: `page` times `per_page` beyond 1,000 is a 400.
        lists_credentials: `include_credential` works on the list.
        bad_pages_link_on: a page that fails for one bad row still has its Link header.
        early_keys: keys that an identity may have behind its id.
        late_keys: keys that identities end with.
        text_message: what a telephone number is verified `via`.
        redirects_to_admin: the admin port sends paths without `/admin` there, and drops trailing slashes.
    """

    keyset: bool
    page_of_size_zero: int
    biggest_numbered_page: int
    refuses_deep_pages: bool
    lists_credentials: bool
    bad_pages_link_on: bool
    early_keys: tuple[str, ...]
    late_keys: tuple[str, ...]
    text_message: str
    redirects_to_admin: bool


FAMILIES: Final[dict[Manner, Family]] = {
    "v1.0": Family(
        keyset=False,
        page_of_size_zero=1,
        biggest_numbered_page=1000,
        refuses_deep_pages=False,
        lists_credentials=False,
        bad_pages_link_on=True,
        early_keys=(),
        late_keys=(),
        text_message="phone",
        redirects_to_admin=True,
    ),
    "v1.3": Family(
        keyset=True,
        page_of_size_zero=250,
        biggest_numbered_page=500,
        refuses_deep_pages=True,
        lists_credentials=True,
        bad_pages_link_on=True,
        early_keys=(),
        late_keys=("organization_id",),
        text_message="sms",
        redirects_to_admin=True,
    ),
    "network": Family(
        keyset=True,
        page_of_size_zero=250,
        biggest_numbered_page=500,
        refuses_deep_pages=True,
        lists_credentials=True,
        bad_pages_link_on=False,
        early_keys=("external_id",),
        late_keys=("organization_id",),
        text_message="sms",
        redirects_to_admin=False,
    ),
}
