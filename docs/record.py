"""Records what `make demo` shows as docs/pictures/demo.svg: `python docs/record.py`, after a demo."""

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "pictures" / "demo.svg"
#: The record that is shown is long: its first lines tell what it is.
LINES = 24


def main() -> None:
    """Run the demo and keep what it said."""
    done = subprocess.run(["make", "--silent", "demo"], capture_output=True, check=True, text=True)  # noqa: S607
    told = [line for line in done.stdout.splitlines() if line.strip()]
    console = Console(record=True, width=118, file=sys.stderr)
    console.print(Text("$ make demo", style="bold"))
    console.print(Text("\n".join([*told[:LINES], "  ..."])))
    picture = console.export_svg(title="make demo")
    # No font is loaded from elsewhere.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
