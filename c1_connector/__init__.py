"""ory-connector: the connector that C1 (ConductorOne) itself drives, on a machine that reaches the Ory project.

The one place that joins tap_ory, which reads, and target_c1, which writes the file; neither knows of it.
"""
