"""The organizations of a project on Ory Network: the customers that its people belong to.

The console's API lists them, to who has a key of the workspace. No project key is let in there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ory_reader.config.services import CONSOLE
from ory_reader.pagination.paginators import InBody
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from ory_reader.config.settings import Settings

ORGANIZATIONS = Resource(
    name="organizations",
    service=CONSOLE,
    path="/projects/{project_id}/organizations",
    paginators=(InBody("organizations"),),
    bucket="console",
    key=("id",),
)


def organizations_of(settings: Settings) -> Resource:
    """Return the list of the settings' project."""
    return replace(ORGANIZATIONS, path=ORGANIZATIONS.path.format(project_id=settings.project_id))
