"""Write the schemas, or with `--check` say which are stale and exit 1."""

from __future__ import annotations

import argparse
import sys

from services.contracts import schemas


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.contracts.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is stale")
    options = parser.parse_args(arguments)
    changed = schemas.stale() if options.check else schemas.write()
    for name in changed:
        sys.stdout.write(f"{'stale' if options.check else 'wrote'}: {name}\n")
    if options.check and changed:
        sys.stdout.write("run: python -m services.contracts.schemas\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
