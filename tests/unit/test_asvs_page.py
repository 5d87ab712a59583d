"""`docs/asvs.md` names tests that there are, and leaves no requirement out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "asvs.md"
ORDER = ("met", "in part", "not met", "no such thing")
# How many there are in each section, by level 1 and 2, and 3 as well in V8; the numbers have no gaps.
SECTIONS = {
    "6": {1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4},
    "7": {1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2},
    "8": {1: 4, 2: 4, 3: 3, 4: 2},
}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def named_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    found = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def missing(text: str) -> list[str]:
    """The tests that are named as `path::name` and are not there."""
    named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", text)
    return [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in named_in(ROOT / path)
    ]


def test_every_test_that_the_page_names_is_there() -> None:
    assert missing(PAGE.read_text()) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    here = "tests/unit/test_asvs_page.py"
    gone = [f"{here}::test_that_never_was", "tests/unit/test_nowhere.py::test_every_test_that_the_page_names"]
    kept = f"{here}::test_a_test_that_is_gone_is_noticed"
    assert missing(" ".join(f"`{one}`" for one in [*gone, kept])) == gone


def test_every_requirement_has_its_row_in_order() -> None:
    expected = [
        f"{chapter}.{section}.{number}"
        for chapter, sections in SECTIONS.items()
        for section, count in sections.items()
        for number in range(1, count + 1)
    ]
    assert [row[0] for row in rows()] == expected


def test_what_is_met_is_shown_and_what_is_not_is_said() -> None:
    for number, _, _, state, shown in rows():
        assert state in ORDER, number
        assert shown, number
        if state == "met":
            assert "`tests/" in shown or re.search(r"\]\(#?[\w-]+(\.md)?\)", shown), number


def test_the_page_counts_right() -> None:
    text = PAGE.read_text()
    for chapter in SECTIONS:
        states = Counter(row[3] for row in rows() if row[0].startswith(f"{chapter}."))
        told = re.search(rf"V{chapter}: ([^.]*)\.", text)
        assert told is not None
        assert told[1].split(", ") == [f"{states[state]} {state}" for state in ORDER if states[state]]
