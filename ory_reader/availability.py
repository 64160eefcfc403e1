"""Which streams a project has: a server may not be configured, or lack a list. Of each server, what a check tells."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ory_reader.config.services import KRATOS, SERVICES
from ory_reader.errors import AccessError, TapOryError
from ory_reader.http.error_messages import REDIRECTS
from ory_reader.resources.list_read import first_page
from ory_reader.streams import STREAMS
from ory_reader.sync import check

if TYPE_CHECKING:
    from ory_reader.config.services import Service
    from ory_reader.project import Project
    from ory_reader.streams import Stream

logger = logging.getLogger("tap-ory")


def available_streams(project: Project) -> list[Stream]:
    """Return the streams that there are, asking each server but Kratos for its lists; say in the log what is left out.

    A list that could not be asked for is no list that is not there.
    """
    wanted = [stream for stream in STREAMS.values() if stream.is_wanted(project.settings)]
    return [
        stream for stream in wanted if stream.listed(project.settings).service is KRATOS or _is_there(project, stream)
    ]


def check_services(project: Project) -> tuple[list[str], bool]:
    """Return a line on each server that the settings lead to, and whether all is as they say.

    Raises:
        TapOryError: if identities cannot be read.
    """
    lines, right = [check.check(project.client)], True
    for service in SERVICES:
        if service is not KRATOS and project.settings.at(service):
            line, fine = _check_service(project, service)
            lines.append(line)
            right &= fine
    return lines, right


def _check_service(project: Project, service: Service) -> tuple[str, bool]:
    lists = [each.listed(project.settings) for each in STREAMS.values()]
    resource = next(each for each in lists if each.service is service)
    try:
        return check.check_list(project.api(resource), resource), True
    except TapOryError as error:
        # Ory Network has it at base_url or has it not: nobody has set anything to be wrong.
        fine = _is_absent(error, resource.path) and not getattr(project.settings, service.url)
        return f"{service.title}: {error}", fine


def _is_there(project: Project, stream: Stream) -> bool:
    resource = stream.listed(project.settings)
    service = resource.service
    if project.settings.at(service) is None:
        logger.info(
            "The stream %s is left out: setting %s does not say where %s is.", stream.name, service.url, service.title
        )
        return False
    try:
        first_page(project.api(resource), resource)
    except TapOryError as error:
        if _is_absent(error, resource.path):
            logger.info("The stream %s is left out: %s", stream.name, error)
            return False
        logger.warning("It is not known whether there is a stream %s: %s", stream.name, error)
    return True


def _is_absent(error: TapOryError, path: str) -> bool:
    """Whether a server has no such list: 404, or what Kratos answers first to a path of a list that is not its own."""
    if not isinstance(error, AccessError):
        return False
    leads = urlsplit(error.location).path
    return error.status == HTTPStatus.NOT_FOUND or (error.status in REDIRECTS and leads.endswith(f"/admin{path}"))
