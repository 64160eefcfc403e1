"""The demo: Meltano moves a sandbox's people, and what else it holds, through `tap-ory` into JSON lines.

Runs in the checkout, with the `meltano` beside this Python; `make demo` sees to both.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID

IDENTITIES = 2000
STREAMS = ("identities", "users", "sessions", "relation_tuples", "oauth2_clients", "organizations")
#: What arrived, and the state, are the demo's alone: a run of the user's own neither appends to it nor goes on from it.
ARRIVED = Path("output") / "demo"
RUN = ["run", "--full-refresh", "--state-id-suffix", "demo", "tap-ory", "target-jsonl"]


def main() -> int:
    """Install the plugins, run the pipeline and show what arrived; the exit code of what failed."""
    meltano = str(Path(sys.executable).with_name("meltano"))
    print(f"Meltano installs tap-ory and target-jsonl, then moves {IDENTITIES:,} identities ...", flush=True)
    ARRIVED.mkdir(parents=True, exist_ok=True)
    for stream in STREAMS:
        _file(stream).unlink(missing_ok=True)
    with Sandbox(IDENTITIES, manner="network", api_token="ory_pat_of_the_sandbox") as sandbox:  # noqa: S106
        environment = {
            **os.environ,
            "TAP_ORY_BASE_URL": sandbox.url,
            "TAP_ORY_API_TOKEN": "ory_pat_of_the_sandbox",
            "TAP_ORY_PROJECT_SLUG": "sandbox",
            "TAP_ORY_OAUTH2_URL": sandbox.url,
            "TAP_ORY_PERMISSIONS_URL": sandbox.url,
            "TAP_ORY_CONSOLE_URL": sandbox.url,
            "TAP_ORY_CONSOLE_TOKEN": "ory_wak_of_the_sandbox",
            "TAP_ORY_PROJECT_ID": PROJECT_ID,
            "TAP_ORY_LAST_LOGIN": "true",
            "TAP_ORY__SELECT": json.dumps([f"{stream}.*" for stream in STREAMS]),
            "TARGET_JSONL_DESTINATION_PATH": str(ARRIVED),
            "MELTANO_CLI_LOG_LEVEL": "warning",
        }
        for command in (["install", "extractor", "tap-ory"], ["install", "loader", "target-jsonl"], RUN):
            done = subprocess.run([meltano, *command], env=environment, check=False)  # noqa: S603 - our own commands
            if done.returncode:
                print(f"meltano {' '.join(command)} failed with exit code {done.returncode}.", file=sys.stderr)
                return done.returncode
        held = sandbox.holdings
        wanted = {
            "identities": IDENTITIES,
            "users": IDENTITIES,
            "sessions": len(held.sessions),
            "relation_tuples": len({json.dumps(each) for each in held.tuples}),
            "oauth2_clients": len(held.clients),
            "organizations": len(held.organizations),
        }
    return _show(wanted)


def _file(stream: str) -> Path:
    return ARRIVED / f"{stream}.jsonl"


def _show(wanted: dict[str, int]) -> int:
    arrived = {stream: _file(stream).read_text(encoding="utf-8").splitlines() for stream in wanted}
    counts = {stream: len(set(lines)) for stream, lines in arrived.items()}
    print(f"\nIn {ARRIVED} arrived:\n")
    for stream, number in wanted.items():
        print(f"  {counts[stream]:>6,} of {number:>6,}  {stream.replace('_', ' ')}")
    users = [json.loads(line) for line in arrived["users"]]
    signed_in = [user for user in users if user.get("last_login")]
    print(f"\n{len(signed_in):,} users have signed in. One of them:\n")
    print(json.dumps(signed_in[len(signed_in) // 2], indent=2, ensure_ascii=False))
    print(
        "\nFor a project of your own (the key: Ory Console > Project settings > API keys):\n\n"
        "  . .venv/bin/activate\n"
        "  export TAP_ORY_BASE_URL=https://your-slug.projects.oryapis.com/ TAP_ORY_API_TOKEN=ory_pat_...\n"
        "  tap-ory --check && meltano run tap-ory target-jsonl\n"
    )
    return 0 if counts == wanted and signed_in else 1


if __name__ == "__main__":
    sys.exit(main())
