"""What a benchmark or a check found, as `.run/reports/<target>.json`: one shape for all of them."""

from __future__ import annotations

import json
import operator
import subprocess
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.cpu import Steal

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / ".run" / "reports"

_COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq}


@dataclass(frozen=True)
class Figure:
    """One number. `target` is a comparison such as ">= 0.7", or None for a figure that is only stated."""

    name: str
    value: float
    unit: str
    target: str | None = None
    holds: bool | None = None


def figure(name: str, value: float, unit: str, target: str | None = None) -> Figure:
    """A figure, compared with its target."""
    if target is None:
        return Figure(name, value, unit)
    sign, _, bound = target.partition(" ")
    return Figure(name, value, unit, target, bool(_COMPARE[sign](value, float(bound))))


@dataclass
class Report:
    """Made when the work begins; `write` when it is done."""

    target: str
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What stands below the table, so that the end of a long output has it."""
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _began: float = field(default_factory=time.monotonic)
    _steal: Steal = field(default_factory=Steal)

    def add(self, name: str, value: float, unit: str, target: str | None = None) -> Figure:
        found = figure(name, value, unit, target)
        self.figures.append(found)
        return found

    @property
    def holds(self) -> bool:
        """Whether every figure with a target meets it."""
        return all(found.holds is not False for found in self.figures)

    @property
    def steal(self) -> float:
        """The share of the machine that its host took so far, between 0 and 1."""
        return self._steal.share()

    def write(self, folder: Path = REPORTS) -> Path:
        """Write the report and return its file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.target}.json"
        content = {
            "target": self.target,
            "commit": _commit(),
            "started_at": self.started_at,
            "seconds": round(time.monotonic() - self._began, 1),
            "steal": round(self.steal, 4),
            "figures": [{**asdict(found), "value": round(found.value, 4)} for found in self.figures],
        }
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return file


def _commit() -> str:
    """The checkout's commit, marked when files differ from it; "unknown" outside of git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
