"""`make mutation`: the policy is changed in one place at a time, and a test has to notice each change.

mutmut does it (pyproject.toml says of which files, with which tests), in a copy of the tree, in one process.
It changes functions; constants of a module, and functions under a decorator, it leaves alone. What no test
noticed is listed with its change: `docs/mutation.md` says of each why that is right.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection

from rich.console import Console

from tests.bench.figures import ROOT, Report
from tests.bench.table import show_figures

COPY = ROOT / ".run" / "mutation"
COPIED = ("services", "gateway", "deploy", "docs", "tests", "pyproject.toml")
KILLED = {"killed", "timeout", "segfault"}
NICE = "15"

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    report = Report("mutation")
    _copy()
    said = _mutmut("run", "--max-children", "1")
    states = _states()
    if not states:
        console.print("\n".join(said), markup=False)
        return 1
    alive = [name for name, state in states.items() if state not in KILLED]
    for name in alive:
        console.print(f"[bold]{name}[/bold] {states[name]}")
        console.print(_change(name), markup=False)
    _figures(report, states)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _copy() -> None:
    """What is being worked on stays as it is, and a change of it does not change the outcome."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, COPY / name)


def _mutmut(*arguments: str) -> list[str]:
    """What it says, line by line."""
    command = ["nice", "-n", NICE, sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(
        command, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout.splitlines()


def _states() -> dict[str, str]:
    """Of every change, by its name: killed, survived, no tests, timeout, …"""
    lines = (re.fullmatch(r" +(\S+__mutmut_\d+): (.+)", line) for line in _mutmut("results", "--all", "true"))
    return {found[1]: found[2] for found in lines if found}


def _change(name: str) -> str:
    """The lines that differ."""
    lines = _mutmut("show", name)
    return "\n".join(line for line in lines if re.match(r"[-+](?![-+])", line))


def _figures(report: Report, states: dict[str, str]) -> None:
    report.add("changes", len(states), "", ">= 1000")
    report.add("changes noticed", 100 * _share(states.values()), "%", ">= 95")
    for module in sorted({_module(name) for name in states}):
        report.add(f"noticed in {module}", 100 * _share(_of(states, module)), "%")


def _of(states: dict[str, str], module: str) -> list[str]:
    return [state for name, state in states.items() if _module(name) == module]


def _share(states: Collection[str]) -> float:
    return sum(state in KILLED for state in states) / len(states)


def _module(name: str) -> str:
    return name.rpartition(".")[0].removeprefix("services.")


if __name__ == "__main__":
    sys.exit(main())
