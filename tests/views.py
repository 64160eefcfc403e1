"""The two views of a page, for tests: identities and users, with the schemas that their records must fit."""

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator

from ory_reader.config.settings import Settings
from ory_reader.records.identity_decoder import IdentityDecoder
from ory_reader.streams import STREAMS
from ory_reader.traits.declaration import shapes_of, typed_traits
from ory_reader.users.decoder import UserDecoder
from tap_ory.record_lines import record_lines

if TYPE_CHECKING:
    from ory_reader.records.decoder import RecordDecoder

Json = dict[str, Any]
Crumb = tuple[str, ...]

TRAITS = {"identities": "traits", "users": "profile"}


class Mask(dict[Crumb, bool]):
    """What is selected: everything but some breadcrumbs and what lies below them."""

    def __init__(self, deselected: Collection[Crumb]) -> None:
        super().__init__(dict.fromkeys(deselected, False))

    def __missing__(self, crumb: Crumb) -> bool:
        return not any(crumb[: len(each)] == each for each in self)


def crumb(*names: str) -> Crumb:
    """The breadcrumb of a field, by the names on the way."""
    return tuple(part for name in names for part in ("properties", name))


class View:
    """One stream over identities of a project with some identity schemas."""

    def __init__(
        self,
        stream: str,
        schemas: Mapping[str, Any] | None = None,
        *,
        deselected: Collection[Crumb] = (),
        warned: set[str] | None = None,
        **config: Any,
    ) -> None:
        """`schemas` are those of the traits, by schema id; `config` are settings."""
        documents = {name: {"properties": {"traits": traits}} for name, traits in (schemas or {}).items()}
        shapes = shapes_of(documents)
        self.stream = stream
        self.schema: Json = STREAMS[stream].schema(None)
        fields = self.schema["properties"]
        fields[TRAITS[stream]] = typed_traits(fields[TRAITS[stream]], shapes)
        self.validator = Draft7Validator(self.schema)
        settings = Settings.from_config({"base_url": "http://127.0.0.1:1", **config}, "1")
        self.decoder: RecordDecoder = (
            IdentityDecoder(self.schema, Mask(deselected), warned=set() if warned is None else warned)
            if stream == "identities"
            else UserDecoder(
                self.schema,
                Mask(deselected),
                shapes=shapes,
                settings=settings,
                warned=set() if warned is None else warned,
            )
        )

    def block(self, page: bytes) -> bytes:
        """The RECORD lines of a page."""
        return record_lines(self.stream, self.decoder.records(self.decoder.rows(page)))

    def records(self, page: bytes) -> list[Json]:
        """The records of a page, as a target decodes them; each fits the schema."""
        records = [json.loads(line)["record"] for line in self.block(page).splitlines()]
        for record in records:
            self.validator.validate(record)
        return records


def identity(traits: Any, **fields: Any) -> Json:
    """An identity with traits, of the schema `default` unless told otherwise."""
    return {"id": "5473449e-79d9-4fbb-8f06-9a4f9d697860", "schema_id": "default", "traits": traits, **fields}


def page(*identities: Json) -> bytes:
    """A page as the server writes it."""
    return json.dumps(identities, separators=(",", ":")).encode()


def user(given: Json, traits: Any = None, **config: Any) -> Json:
    """The user that one identity becomes; `traits` is the schema of its traits, None one that nobody knows."""
    schemas = {} if traits is None else {given["schema_id"]: traits}
    (record,) = View("users", schemas, **config).records(page(given))
    return record
