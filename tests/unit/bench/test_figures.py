"""Reports: what a figure says of its target, and the file that is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.figures import Report, figure


@pytest.mark.parametrize(
    ("value", "target", "holds"),
    [(0.7, ">= 0.7", True), (0.69, ">= 0.7", False), (100.0, "<= 100", True), (1.0, "== 0", False)],
)
def test_a_figure_says_whether_its_target_holds(value: float, target: str, holds: bool) -> None:
    assert figure("speed", value, "times", target).holds is holds


def test_a_figure_without_a_target_only_states() -> None:
    assert figure("speed", 3.0, "times").holds is None


def test_a_report_holds_when_no_figure_misses_its_target() -> None:
    report = Report("bench-nothing")
    report.add("stated", 1.0, "ms")
    report.add("good", 1.0, "ms", "<= 2")
    assert report.holds
    report.add("bad", 3.0, "ms", "<= 2")
    assert not report.holds


def test_a_report_is_written_in_the_shape_that_all_have(tmp_path: Path) -> None:
    report = Report("bench-nothing")
    report.add("speed", 0.81234, "times", ">= 0.7")
    file = report.write(tmp_path)
    content = json.loads(file.read_text())
    assert file.name == "bench-nothing.json"
    assert set(content) == {"target", "commit", "started_at", "seconds", "steal", "figures"}
    assert content["figures"] == [
        {"name": "speed", "value": 0.8123, "unit": "times", "target": ">= 0.7", "holds": True}
    ]
