"""Apache Spark reads the streams of an Ory project: `spark.read.format("ory")`, described in docs/spark.md.

PySpark finds this package by its name and registers `DefaultSource` as the format `ory`. Batch only: Ory has no log of
changes, so a continuous read would read everything for ever.
"""

from pyspark_ory.source import OrySource as DefaultSource

__all__ = ["DefaultSource"]
