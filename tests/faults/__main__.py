"""`python -m tests.faults [--single | --cluster] [--only NAME] [--list]`; SHORT=1 for the form that CI runs.

Exits 1 when a figure does not hold, or when the harness could not be made to find fault.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.bench.figures import REPORTS, Figure, Report
from tests.faults import catalogue, trial, verdict
from tests.faults.fault import Fault
from tests.faults.proofs import Proof, proofs
from tests.faults.stage import Stage
from tests.faults.trial import Outcome

PROOF_SETTLE_SECONDS = 3.0
"""What is lost on purpose never comes."""


class Run:
    """All trials on one cell."""

    def __init__(self, report: Report, console: Console, *, cluster: bool, only: str, short: bool) -> None:
        self._report, self._console, self._short = report, console, short
        self._only, self._cluster = only, cluster
        self._where = "cluster" if cluster else "single"
        self._rows: list[tuple[Outcome, Sequence[Figure]]] = []

    def everything(self, faults: Sequence[Fault]) -> None:
        """First the proofs, then the trials; a part of it if only some are wanted."""
        wanted = [fault for fault in faults if self._is_wanted(fault.name)]
        proving = [proof for proof in proofs(cluster=self._cluster) if self._is_wanted(proof.name)]
        if not wanted and not proving:
            return
        root = Path(tempfile.mkdtemp(prefix="faults-"))
        stage = Stage(root, cluster=self._cluster)
        steps = [partial(self._prove, stage, proof) for proof in proving]
        steps += [partial(self._try, stage, fault) for fault in wanted]
        try:
            for step in steps:
                self._step(stage, step)
        finally:
            stage.close()
            shutil.rmtree(root, ignore_errors=True)
        self._console.print(verdict.table(f"{self._where}: what holds under each fault", self._rows))

    def _is_wanted(self, name: str) -> bool:
        return any(part in name for part in self._only.split(","))

    def _step(self, stage: Stage, step: partial[None]) -> None:
        """What cannot be tried counts as a failure, and the rest goes on with everything started anew."""
        trial_name = f"{self._where}: {step.args[1].name}"
        try:
            step()
        except Exception as problem:
            self._report.add(f"{trial_name}: could be tried", 0, "trials", "== 1")
            self._console.print(f"{trial_name} could not be tried:", style="red")
            self._console.print("".join(traceback.format_exception(problem)), style="red", markup=False)
            stage.close()

    def _prove(self, stage: Stage, proof: Proof) -> None:
        outcome = trial.run(stage, proof.fault, settle_seconds=PROOF_SETTLE_SECONDS, afterwards=False)
        found = proof.found(outcome)
        self._report.add(f"{self._where}: {proof.name}: found", found, "violations", ">= 1")
        self._console.print(
            f"{self._where}: {proof.name}: {found} violations found ({outcome.seconds:.0f} s)"
        )

    def _try(self, stage: Stage, fault: Fault) -> None:
        outcome = trial.run(stage, fault, afterwards=not self._short)
        judged = verdict.figures(outcome, fault.success)
        self._rows.append((outcome, judged))
        for each in judged:
            self._report.add(f"{self._where}: {each.name}", each.value, each.unit, each.target)
        self._console.print(
            f"{self._where}: {fault.name} ({outcome.seconds:.0f} s, {outcome.rate:.0f} requests/s)"
        )
        for line in verdict.reasons(outcome, judged):
            self._console.print(f"  {line}", style="red")
        if outcome.violations:
            self._keep(outcome)

    def _keep(self, outcome: Outcome) -> None:
        """The whole history of a trial with violations, for a person to look at."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        name = "".join(char if char.isalnum() else "-" for char in outcome.name)
        (REPORTS / f"faults-{self._where}-{name}.json").write_text(outcome.history.to_json())


def main() -> int:
    """Run what is asked for; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all that was started is stopped
    given = _arguments()
    short = os.environ.get("SHORT", "") not in ("", "0")
    plans = {False: catalogue.short() if short else catalogue.single(), True: catalogue.cluster()}
    if given.list:
        for cluster, faults in plans.items():
            for fault in faults:
                print(f"{'cluster' if cluster else 'single'}: {fault.name}")
        return 0
    kinds = [True] if given.cluster else [False] if given.single or short else [False, True]
    report, console = Report("faults"), Console(width=max(120, Console().width))
    for cluster in kinds:
        Run(report, console, cluster=cluster, only=given.only, short=short).everything(plans[cluster])
    file = report.write()
    console.print(f"{file} written; {'everything holds' if report.holds else 'NOT everything holds'}")
    return 0 if report.holds and report.figures else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--single", action="store_true", help="only with one node of each part")
    where.add_argument("--cluster", action="store_true", help="only with three nodes of each part")
    parser.add_argument(
        "--only", default="", metavar="NAME", help="only what has NAME in its name; several with commas"
    )
    parser.add_argument("--list", action="store_true", help="say what would be tried")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
