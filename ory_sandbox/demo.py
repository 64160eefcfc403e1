"""The demo: Meltano moves the sandbox's identities through `tap-ory` into JSON lines, in a place of their own.

Runs in the checkout, with the `meltano` beside this Python; `make demo` sees to both.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from ory_sandbox import Sandbox

IDENTITIES = 2000
#: What arrived, and the state, are the demo's alone: a run of the user's own neither appends to it nor goes on from it.
ARRIVED = Path("output") / "demo" / "identities.jsonl"
RUN = ["run", "--full-refresh", "--state-id-suffix", "demo", "tap-ory", "target-jsonl"]


def main() -> int:
    """Install the plugins, run the pipeline and show what arrived; the exit code of what failed."""
    meltano = str(Path(sys.executable).with_name("meltano"))
    print(f"Meltano installs tap-ory and target-jsonl, then moves {IDENTITIES:,} identities ...", flush=True)
    ARRIVED.parent.mkdir(parents=True, exist_ok=True)
    ARRIVED.unlink(missing_ok=True)
    with Sandbox(IDENTITIES, manner="network", api_token="ory_pat_of_the_sandbox") as sandbox:  # noqa: S106
        environment = {
            **os.environ,
            "TAP_ORY_BASE_URL": sandbox.url,
            "TAP_ORY_API_TOKEN": "ory_pat_of_the_sandbox",
            "TAP_ORY_PROJECT_SLUG": "sandbox",
            "TARGET_JSONL_DESTINATION_PATH": str(ARRIVED.parent),
            "MELTANO_CLI_LOG_LEVEL": "warning",
        }
        for command in (["install", "extractor", "tap-ory"], ["install", "loader", "target-jsonl"], RUN):
            done = subprocess.run([meltano, *command], env=environment, check=False)  # noqa: S603 - our own commands
            if done.returncode:
                print(f"meltano {' '.join(command)} failed with exit code {done.returncode}.", file=sys.stderr)
                return done.returncode
    return _show()


def _show() -> int:
    lines = ARRIVED.read_text(encoding="utf-8").splitlines()
    distinct = len({json.loads(line)["id"] for line in lines})
    print(f"\n{distinct:,} of {IDENTITIES:,} identities arrived in {ARRIVED}. One of them:\n")
    print(json.dumps(json.loads(lines[len(lines) // 2]), indent=2, ensure_ascii=False))
    print(
        "\nFor a project of your own (the key: Ory Console > Project settings > API keys):\n\n"
        "  . .venv/bin/activate\n"
        "  export TAP_ORY_BASE_URL=https://your-slug.projects.oryapis.com/ TAP_ORY_API_TOKEN=ory_pat_...\n"
        "  tap-ory --check && meltano run tap-ory target-jsonl\n"
    )
    return 0 if distinct == IDENTITIES else 1


if __name__ == "__main__":
    sys.exit(main())
