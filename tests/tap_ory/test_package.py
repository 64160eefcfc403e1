"""What somebody finds who imports the tap in a notebook."""

from importlib import metadata

import pytest

import ory_reader
import tap_ory


def test_it_has_the_version_of_what_is_installed() -> None:
    assert tap_ory.__version__ == metadata.version("tap-ory")


def test_it_leads_to_the_library() -> None:
    assert tap_ory.__doc__ is not None
    assert "import ory_reader" in tap_ory.__doc__
    with pytest.raises(AttributeError, match="what reads from Python is ory_reader"):
        _ = tap_ory.open_read
    assert callable(ory_reader.open_read)
