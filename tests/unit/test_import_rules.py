"""Every service stands under every import rule: a new one that nobody listed would pass in silence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from services.contracts.directory import SERVICES

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
RULES: list[dict[str, Any]] = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"gateway"}))
@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if "services.echo" in str(rule)], ids=lambda rule: rule["name"]
)
def test_each_rule_that_names_a_service_names_them_all(rule: dict[str, Any], service: str) -> None:
    for modules in ("source_modules", "forbidden_modules", "modules"):
        listed = set(rule.get(modules, ()))
        named = {
            module.replace("services.echo", f"services.{service}")
            for module in listed
            if module.startswith("services.echo")
        }
        # A larger service has a folder of stores, and handlers beside its service.py.
        assert named <= {module.replace(".stores", ".store") for module in listed}
