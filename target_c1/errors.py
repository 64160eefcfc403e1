"""The errors that a user is shown, each as one line: what was wrong and what to do.

Knows nothing of Singer or C1. No message may hold a person's data: an invalid line is named by its number.
"""

from __future__ import annotations


class TargetC1Error(Exception):
    """An error whose text is meant for the user; nothing was published, the exit code is not 0."""


class SettingsError(TargetC1Error):
    """A setting is missing, misspelt or cannot be right."""


class InputError(TargetC1Error):
    """The input is no Singer input, or ended before the read was complete."""


class RefusedError(TargetC1Error):
    """The file would be whole but is not published, because too many users are missing from it."""


class PublishError(TargetC1Error):
    """The destination, or the disk that the file is prepared on, cannot be written or read."""


class FileFormatError(TargetC1Error):
    """A file is not what its name or its format says."""
