"""Write docs/permissions.md, or with `--check` say that it is stale and exit 1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateway.documents import permissions

PLACE = Path(__file__).parent.parent.parent / "docs" / "permissions.md"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m gateway.documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the page is stale")
    options = parser.parse_args(arguments)
    wanted = permissions.document()
    stale = not PLACE.exists() or PLACE.read_text(encoding="utf-8") != wanted
    if stale and options.check:
        sys.stdout.write(f"stale: {PLACE.name}\nrun: python -m gateway.documents\n")
        return 1
    if stale:
        PLACE.write_text(wanted, encoding="utf-8")
        sys.stdout.write(f"wrote: {PLACE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
