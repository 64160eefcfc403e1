"""Well-known names of traits, for what no keyword of an identity schema tells. Knows nothing of identities.

Names are in lower case and without separators, but those of GENERIC, which stand as people usually spell them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ory_reader.traits.shapes import Shape

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
#: What stands for true.
YES = frozenset({"true", "yes", "1"})
#: What an account type is called in a trait.
ACCOUNT_WORDS = {
    **dict.fromkeys(("human", "person"), "human"),
    **dict.fromkeys(("service", "serviceaccount", "serviceuser", "bot", "robot"), "service"),
    **dict.fromkeys(("machine", "machineaccount", "machineuser"), "service"),
    **dict.fromkeys(("system", "systemaccount", "systemuser"), "system"),
}
#: Words of a schema's id that say whose accounts its identities are as the whole id only, or together with one of
#: ACCOUNTS: `service_accounts`, `machine-user`.
KINDS = {"service": "service", "services": "service", "machine": "service", "machines": "service"} | dict.fromkeys(
    ("system", "systems"), "system"
)
ACCOUNTS = frozenset({"account", "accounts", "user", "users", "identity", "identities", "principal", "principals"})
#: Before `service` these make it the work of people: `customer_service_users`.
OF_PEOPLE = frozenset({"customer", "client", "guest", "field", "self", "public", "social", "civil", "food", "room"})
#: Names of traits that hold one value of a user.
SINGLE = EMAIL | PHONE | USERNAME | FULL_NAME | FIRST_NAME | LAST_NAME | EMPLOYEE_ID | ACCOUNT_TYPE
#: Members of an object that hold its value, the best one first: `{"value": "a@example.com", "type": "work"}`.
_VALUES = ("value", "primary", "main", "default")
_ADDRESSES = (*_VALUES, "address", "email", "mail", "work", "home")
_NUMBERS = (*_VALUES, "number", "phone", "mobile", "work", "home")
_FULL = tuple(name for name, meant in BELOW_NAME.items() if meant == "fullname")


def value_names(name: str) -> tuple[str, ...]:
    """The members that hold the value where an object is found at a name."""
    if name in NAME_OBJECT | FULL_NAME:
        return (*_FULL, "fullname", "displayname", "value")
    return _ADDRESSES if name in EMAIL else _NUMBERS if name in PHONE else _VALUES


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
