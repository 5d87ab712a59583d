"""`make journey`: walk the main job through the system that `make demo` has started."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.journey import steps
from tests.journey.cast import Cast

console = Console(soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.journey", description=__doc__)
    parser.add_argument("--demo", type=Path, default=Path(".run/demo.json"))
    file = parser.parse_args().demo
    if not file.exists():
        console.print(f"There is no {file}. Start the demonstration first: make demo")
        return 2
    walk = steps.begin(Cast.read(file))
    for number, step in enumerate(steps.STEPS, 1):
        began = time.monotonic()
        try:
            told = step(walk)
        except Exception as problem:
            console.print(f"[red]{number} failed[/red] {(step.__doc__ or '').strip()}")
            console.print(escape("".join(traceback.format_exception(problem))))
            return 1
        console.print(
            f"[green]{number} good[/green] {escape(told)} [dim]{time.monotonic() - began:.1f} s[/dim]"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
