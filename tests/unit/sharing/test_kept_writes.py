"""No store changes what access hangs on but through `Kept`, which leaves the version that was."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sharing.stores import kept
from services.sharing.stores.kept import SHAPES

STORES = Path(kept.__file__).parent
WRITES = frozenset(
    {
        "update_one",
        "update_many",
        "replace_one",
        "find_one_and_update",
        "find_one_and_replace",
        "find_one_and_delete",
        "delete_one",
        "delete_many",
        "bulk_write",
    }
)
KINDS = {shape.collection: kind for kind, shape in SHAPES.items()}
PARTS_NOT_KEPT = frozenset({"sessions", "secrets", "confirmed", "events"})
"""Of what is kept whole but for these. No access hangs on what was told of a case, or on whether `cases` was
seen to know it."""
SWEEP = ("ownerships.py", "discard")
"""A registration that came to nothing: there never was such a case."""


def bound_names(tree: ast.AST) -> dict[str, str]:
    """Attribute of self -> collection, of what is assigned from `database[...]`, alone or in a tuple."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = (
                zip(target.elts, node.value.elts, strict=False)
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                else [(target, node.value)]
            )
            for name, value in pairs:
                collection = collection_of(value)
                if isinstance(name, ast.Attribute) and collection in KINDS:
                    found[name.attr] = str(collection)
    return found


def collection_of(value: ast.expr) -> str | None:
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
        return str(value.slice.value)
    return None


def changed(call: ast.Call, function: ast.FunctionDef) -> set[str] | None:
    """The top-level fields that the change names; None: it cannot be seen."""
    change = call.args[1] if len(call.args) > 1 else None
    if not call.func.attr.startswith(("update", "find_one_and_update")):  # type: ignore[attr-defined]
        return None
    if not isinstance(change, ast.Dict):
        return None
    parts = [said(one, function) for one in change.values]
    if not all(isinstance(one, ast.Dict) for one in parts):
        return None
    named = {key for part in parts if isinstance(part, ast.Dict) for key in part.keys}
    if not all(isinstance(key, ast.Constant) for key in named):
        return None
    return {str(key.value).partition(".")[0] for key in named if isinstance(key, ast.Constant)}


def said(value: ast.expr, function: ast.FunctionDef) -> ast.expr:
    """What a local name was given, where it was given one thing."""
    if not isinstance(value, ast.Name):
        return value
    given = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == value.id for one in node.targets)
    ]
    return given[0] if len(given) == 1 else value


def touches(named: set[str] | None, collection: str) -> bool:
    """Whether such a change may touch what is kept of these documents."""
    if named is None:
        return True
    if collection == "users":
        return not named.isdisjoint(SHAPES["user"].kept)
    return not named <= PARTS_NOT_KEPT


def unkept(source: str, file: str) -> Iterator[str]:
    """Writes beside `Kept`, by function, that may touch what is kept."""
    tree = ast.parse(source)
    names = bound_names(tree)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or (file, function.name) == SWEEP:
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            target = call.func.value
            collection = (
                names.get(target.attr) if isinstance(target, ast.Attribute) else collection_of(target)
            )
            if isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
                collection = "users" if target.func.attr == "_of" else None  # users or clients
            if (
                call.func.attr in WRITES
                and collection in KINDS
                and touches(changed(call, function), str(collection))
            ):
                yield f"{file}: {function.name}"


@pytest.mark.parametrize("path", sorted(STORES.glob("*.py")), ids=lambda path: path.name)
def test_every_write_of_a_kept_document_leaves_its_history(path: Path) -> None:
    if path.name == "kept.py":
        return
    assert list(unkept(path.read_text(encoding="utf-8"), path.name)) == []


@pytest.mark.parametrize(
    "write",
    [
        'self._rows.update_one({"_id": 1}, {"$set": {"team_ids": []}})',
        'self._rows.update_many({"_id": 1}, {"$set": {"state": "disabled"}})',
        'self._rows.replace_one({"_id": 1}, row)',
        'database["users"].update_one({"_id": 1}, {"$pull": {"roles": 1}})',
        "self._rows.update_one(wanted, change)",
    ],
)
def test_the_check_finds_a_write_beside_it(write: str) -> None:
    planted = f"""
class Store:
    def __init__(self, database):
        self._rows = database["users"]

    def change(self, row, wanted, change, database):
        {write}
"""
    assert list(unkept(planted, "planted.py"))
