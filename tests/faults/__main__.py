"""``python -m tests.faults --faults FILE``: the sandbox's command, and what goes wrong in it."""

from pathlib import Path

from ory_sandbox.__main__ import command_line, serve
from tests.faults.sandbox import FaultySandbox
from tests.faults.scenario import read_scenario


def main() -> None:
    """Serve until told to stop."""
    line = command_line()
    line.add_argument("--faults", type=Path, metavar="FILE", required=True, help="JSON, see tests/faults/scenario.py")
    options = vars(line.parse_args())
    serve(lambda **given: FaultySandbox(**{**given, "faults": read_scenario(given["faults"])}), options)


if __name__ == "__main__":
    main()
