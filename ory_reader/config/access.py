"""The settings of access: what becomes a resource, entitlement or grant, declared as all others are."""

from collections.abc import Sequence
from dataclasses import dataclass

from command_basics.declared import setting

NAMES = {"items": {"type": ["string"], "minLength": 1}}
LEFT_OUT, SYSTEM = "left_out", "system"
APP, SERVICE, NONE = "app", "service", "none"


@dataclass(frozen=True, kw_only=True)
class AccessDeclaration:
    """The settings by name."""

    access: bool = setting(
        "Access",
        "Whether who may do what is read, too: the streams access_resources, access_entitlements and access_grants, "
        "made of organizations, the relation tuples of Ory Keto and OAuth2 clients.",
        default=False,
    )
    access_namespaces: Sequence[str] | None = setting(
        "Access: namespaces",
        'The namespaces of Ory Keto whose objects are resources, as ["Document"]; those whose groups are granted '
        "something there are read, too. All if unset.",
        schema=NAMES,
        examples=['["Document", "Folder"]'],
    )
    access_people: Sequence[str] = setting(
        "Access: people",
        "The namespaces whose objects are people: User:ID in a tuple is the user that the id finds.",
        default=["User"],
        schema=NAMES,
    )
    access_groups: Sequence[str] = setting(
        "Access: groups",
        "The namespaces whose objects shown as groups.",
        default=["Group", "Team", "Organization"],
        schema=NAMES,
    )
    access_roles: Sequence[str] = setting(
        "Access: roles",
        "The namespaces whose objects shown as roles.",
        default=["Role"],
        schema=NAMES,
    )
    access_parents: Sequence[str] = setting(
        "Access: parents",
        'The relations that name the parent of an object, as ["parents"]. Other links between objects are left out.',
        default=[],
        schema=NAMES,
        examples=['["parents"]'],
    )
    access_subject_prefixes: Sequence[str] = setting(
        "Access: prefixes",
        'What is taken off a subject before a user is looked for, as ["user:"]. A subject is an identity\'s id, else '
        "its external_id.",
        default=[],
        schema=NAMES,
        examples=['["user:"]'],
    )
    access_match_names: bool = setting(
        "Access: match names",
        "Whether a subject may also be an e-mail address or username that exactly one user has.",
        default=False,
    )
    access_orphans: str = setting(
        "Access: orphans",
        "What becomes of a subject that no user is: left_out (counted in the log), or system: a user of that type, so "
        "that its access is seen.",
        default=LEFT_OUT,
        schema={"enum": [LEFT_OUT, SYSTEM, None]},
    )
    access_clients: str = setting(
        "Access: clients",
        "What OAuth2 clients become: app, service (users of that type, which can hold grants), or none.",
        default=APP,
        schema={"enum": [APP, SERVICE, NONE, None]},
    )
    access_expand: bool = setting(
        "Access: expand",
        "Whether what a group is granted is granted to its members in records of their own, to any depth. Off: only "
        "what was granted, with what hands it on.",
        default=True,
    )
    access_max_objects: int = setting(
        "Access: most objects",
        "A run that meets more objects of Ory Keto ends with an error and publishes nothing.",
        default=100_000,
        schema={"minimum": 1},
    )
