"""Runs the examples of a page of the docs one after another, as a reader tries them: `examples.py PAGE URL`.

In an interpreter that has what they import; `URL` stands where the page has the address of an Admin API.
"""

from __future__ import annotations

import doctest
import re
import sys
import warnings
from pathlib import Path

ADMIN_API = "http://127.0.0.1:4434/"


def main() -> None:
    page, url = Path(sys.argv[1]), sys.argv[2]
    blocks = re.findall(r"```pycon\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    # What other people's packages warn each other of is no business of ours.
    warnings.simplefilter("ignore")
    text = "\n".join(blocks).replace(ADMIN_API, url)
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, page.name, str(page), 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    sys.stdout.write(f"{tried} tried\n")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
