"""A start without searches for garbage."""

import subprocess
import sys

import pytest

#: Makes so much that a search for cycles would follow, notes the searches, and leaves by an error if told so.
IMPORTING = """
import gc
from command_basics.startup import no_search_for_cycles
searches = []
gc.callbacks.append(lambda phase, info: searches.append(phase))
def make():
    kept = [[] for _ in range(100_000)]
    return len(searches)
try:
    with no_search_for_cycles():
        within = make()
        {last}
except ImportError:
    pass
print(within, gc.isenabled(), make() > 0)
"""


@pytest.mark.parametrize("last", ["pass", "raise ImportError"])
def test_nothing_is_searched_for_cycles_while_importing_and_all_is_after(last: str) -> None:
    assert printed(IMPORTING.format(last=last)) == "0 True True"


@pytest.mark.parametrize("command", [["tap_ory", "--version"], ["tap_ory", "--nonsense"], ["source_ory", "spec"]])
def test_at_the_end_python_has_next_to_nothing_to_search(command: list[str]) -> None:
    left = printed(f"""
import atexit, gc, os, runpy, sys
sys.argv = {command!r}
atexit.register(lambda: os.write(3, b"%d" % len(gc.get_objects())))
os.dup2(1, 3), os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
runpy.run_module({command[0]!r}, run_name="__main__")
""")
    assert int(left) < 10_000


def printed(code: str) -> str:
    """What a Python of its own prints; whatever it ends with."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()
