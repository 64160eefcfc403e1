"""ory-connector: the connector that C1 (ConductorOne) itself drives, on a machine that reaches the Ory project.

The one place that joins ory_reader, which reads, and target_c1, which writes the file; neither knows of it.
"""

import os

# gRPC reads it when it is imported; what it would trace is the metadata of each call, the access token among them.
os.environ.pop("GRPC_TRACE", None)
