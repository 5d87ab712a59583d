"""The comparison of `make check-access` in small: quiet where the rule is right, awake where it is not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.checks.access import inprocess, naive
from tests.checks.access.planted import FAULTS, planted


def test_the_rule_and_the_paper_agree() -> None:
    found = inprocess.run(4, first=7)
    assert (found.mismatches, found.explained_wrong, found.lists_wrong) == (0, 0, 0), found.first
    assert found.told["allowed"] > 50
    assert found.explained > 40


@pytest.mark.parametrize("name", ["conflicts are ignored", "the agency's key is ignored"])
def test_a_planted_fault_is_found(name: str) -> None:
    assert name in FAULTS
    with planted(name):
        assert inprocess.run(12).mismatches
    assert not inprocess.run(12).mismatches


def test_the_second_evaluator_knows_nothing_of_the_product() -> None:
    tree = ast.parse(Path(naive.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "datetime", "typing", "zoneinfo"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
