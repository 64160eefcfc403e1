"""An Ory Admin API of our own, for demos, tests and benchmarks; with nothing but Python's standard library."""

from ory_sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
