"""The tap with the SDK's own way of stream maps and flattening: a dict for each record, and a line at a time."""

from unittest import mock

from tap_ory.__main__ import main
from tap_ory.stream import OryStream

with mock.patch.object(OryStream, "_wants_blocks", return_value=False):
    main()
