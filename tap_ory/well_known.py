"""Well-known names of traits, for what no keyword of an identity schema tells. Knows nothing of identities.

Names are in lower case and without separators, but those of GENERIC, which stand as people usually spell them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_ory.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

EMAIL = frozenset({"email", "emailaddress", "mail", "primaryemail", "emails", "emailaddresses"})
PHONE = frozenset(
    {"phone", "phonenumber", "phones", "phonenumbers", "mobile", "mobilephone", "mobilenumber", "telephone", "tel"}
)
USERNAME = frozenset({"username", "login", "loginname", "preferredusername", "handle"})
FULL_NAME = frozenset({"name", "fullname", "displayname", "realname"})
FIRST_NAME = frozenset({"firstname", "givenname", "forename"})
LAST_NAME = frozenset({"lastname", "familyname", "surname"})
EMPLOYEE_ID = frozenset({"employeeid", "employeenumber", "personnelnumber", "staffid", "staffnumber", "workerid"})
ACCOUNT_TYPE = frozenset({"accounttype", "usertype"})
SERVICE_FLAG = frozenset({"serviceaccount", "isserviceaccount", "isservice", "bot", "isbot", "machine", "ismachine"})
#: Objects whose members are the person's own: an address below `manager` is somebody else's.
NAME_OBJECT = frozenset({"name", "names", "fullname", "realname"})
OWN_OBJECT = NAME_OBJECT | {"profile", "person", "personal", "personalinfo", "user", "account", "basic"}
#: Short names that only mean something below a name.
BELOW_NAME = {"first": "firstname", "given": "givenname", "last": "lastname", "family": "familyname"} | dict.fromkeys(
    ("full", "formatted", "display"), "fullname"
)
#: What an account type is called, in a trait or as a word of a schema's id.
ACCOUNT_WORDS = {
    "human": "human",
    "person": "human",
    "service": "service",
    "serviceaccount": "service",
    "bot": "service",
    "robot": "service",
    "machine": "service",
    "system": "system",
}

_TEXT, _FLAG = Shape(types=frozenset({"string"})), Shape(types=frozenset({"boolean"}))
_NAME_TYPES = frozenset({"string", "object"})


def _spellings(*names: str) -> Iterator[str]:
    """Snake case as given, and camel case."""
    for name in names:
        yield name
        if "_" in name:
            first, *others = name.split("_")
            yield first + "".join(map(str.capitalize, others))


#: The traits of a schema that could not be read: well-known names, as people usually spell them.
GENERIC = Shape(
    types=frozenset({"object"}),
    properties={
        **dict.fromkeys(_spellings("email", "email_address", "mail"), _TEXT),
        "emails": Shape(types=frozenset({"array"}), items=_TEXT),
        **dict.fromkeys(_spellings("phone", "phone_number", "mobile", "telephone"), _TEXT),
        **dict.fromkeys(_spellings("username", "user_name", "login", "preferred_username"), _TEXT),
        **dict.fromkeys(_spellings("full_name", "display_name", "first_name", "given_name"), _TEXT),
        **dict.fromkeys(_spellings("last_name", "family_name", "employee_id", "employee_number"), _TEXT),
        "name": Shape(
            types=_NAME_TYPES,
            properties=dict.fromkeys(
                ("first", "last", "given", "family", *_spellings("first_name", "last_name")), _TEXT
            ),
        ),
        **dict.fromkeys(_spellings("account_type", "user_type"), _TEXT),
        **dict.fromkeys(_spellings("service_account", "is_service_account"), _FLAG),
    },
)
