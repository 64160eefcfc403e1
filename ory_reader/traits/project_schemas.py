"""What a run knows of its project's identity schemas, and when it must not go on without them.

They decide who somebody is: by well-known names of traits alone, a work address can become a private one. So only a
definite answer, or the setting `identity_schemas`, may mean that a project has none.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from ory_reader.errors import AccessError, AnswerError, TapOryError, UnavailableError
from ory_reader.http.client import RetryableError
from ory_reader.resources.identity_schemas import NoSchemasError, read_identity_schemas
from ory_reader.traits.declaration import shapes_of

if TYPE_CHECKING:
    from ory_reader.http.client import OryClient
    from ory_reader.traits.shapes import Shape

logger = logging.getLogger("tap-ory")

REMEDY = (
    "Set public_url to where they are (the public address of a self-hosted Kratos), or identity_schemas to off if "
    "there are none to be had."
)


class ProjectSchemas:
    """The shapes of a project's identity schemas, read when first asked for, and only then."""

    def __init__(self, api: OryClient | None) -> None:
        """Make no request yet. Without `api` nothing is asked for and nothing is missing."""
        self._api = api
        self._settled = False

    @cached_property
    def _outcome(self) -> tuple[dict[str, Shape], TapOryError | None]:
        if self._api is None or not self._api.settings.identity_schemas:
            return {}, None
        try:
            return shapes_of(read_identity_schemas(self._api)), None
        except TapOryError as error:
            return {}, error

    @property
    def shapes(self) -> dict[str, Shape]:
        """What each identity schema says of traits, by its id; empty where there are none, or none that can be read."""
        return self._outcome[0]

    def settle(self, *, needed: bool, known: bool) -> None:
        """Make sure that nothing is made of missing schemas that should be made of them; warn where they are missing.

        `needed` tells that what is read cannot do without them if there are any; `known` that there were some.

        Raises:
            TapOryError: of the kind that kept them away, in one line that names the settings.
        """
        problem = self._outcome[1]
        if problem is None:
            return
        if isinstance(problem, RetryableError):
            # A rate limit, which the pages share.
            raise problem
        sentence = f"The identity schemas could not be read: {problem}"
        if known or (needed and not isinstance(problem, NoSchemasError)):
            had = " Earlier ones had types, or the catalog has." if known else ""
            kinds = (kind for kind in (UnavailableError, AnswerError, AccessError) if isinstance(problem, kind))
            msg = f"{sentence}{had} {REMEDY}"
            raise next(kinds, TapOryError)(msg) from problem
        if not self._settled:
            self._settled = True
            without = "Traits are passed on untyped, and users are read by well-known names of traits."
            logger.warning("%s %s %s", sentence, without, REMEDY)
