"""dlt's rest_api source into its filesystem destination as JSONL. Runs in dlt's own environment.

Usage: dlt_rest.py URL DIRECTORY. What dlt could do without is left away in its favour: nested values stay in
their row instead of becoming tables of their own, and its intermediate files are not compressed.
"""

import os
import sys
from pathlib import Path

os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
}

import dlt  # type: ignore[import-not-found]
from dlt.destinations import filesystem  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

base_url, directory = sys.argv[1], Path(sys.argv[2]).resolve()
source = rest_api_source(
    {
        "client": {"base_url": base_url, "paginator": {"type": "header_link"}},
        "resources": [
            {
                "name": "identities",
                "primary_key": "id",
                "write_disposition": "replace",
                "max_table_nesting": 0,
                "endpoint": {"path": "admin/identities", "params": {"page_size": 500}},
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "identities",
    pipelines_dir=str(directory / "working"),
    destination=filesystem(bucket_url=(directory / "out").as_uri()),
    dataset_name="ory",
)
pipeline.run(source, loader_file_format="jsonl")
