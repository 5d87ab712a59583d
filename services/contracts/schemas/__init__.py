"""JSON Schemas of everything that services say to each other, one file a message, generated and committed.

Readers in other languages use them, and a review sees in their diff what a change does to the contracts.
`python -m services.contracts.schemas` writes them; with `--check` it fails when a file is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from services.contracts import (
    alerts,
    audit,
    authority,
    caller,
    echo,
    envelope,
    notify,
    records,
    restores,
    reviews,
    statements,
    subscriptions,
    witnesses,
)
from services.contracts.cases import about, cases, chronology, entries, geometry, links, subjects, tasks
from services.contracts.errors import registered
from services.contracts.messages import EventData, Reply, Request
from services.contracts.sharing import (
    account,
    agencies,
    asking,
    certifying,
    clients,
    conflicts,
    devices,
    directory,
    explain,
    glass,
    identity_providers,
    passkeys,
    people,
    procedures,
    protocols,
    provisioning,
    sessions,
    shares,
    teams,
    trainings,
    transfers,
)

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The modules whose messages are published, each with the prefix of its files.
_SPOKEN: tuple[tuple[str, ModuleType], ...] = (
    ("echo", echo),
    ("alerts", alerts),
    ("authority", authority),
    ("restores", restores),
    ("audit", audit),
    ("notify", notify),
    ("notify", subscriptions),
    ("reviews", reviews),
    ("statements", statements),
    ("witnesses", witnesses),
    *(
        (f"sharing.{module.__name__.rpartition('.')[2]}", module)
        for module in (
            account,
            agencies,
            asking,
            certifying,
            clients,
            conflicts,
            devices,
            directory,
            explain,
            glass,
            identity_providers,
            passkeys,
            people,
            procedures,
            protocols,
            provisioning,
            sessions,
            shares,
            teams,
            trainings,
            transfers,
        )
    ),
    *(
        (f"cases.{module.__name__.rpartition('.')[2]}", module)
        for module in (about, cases, chronology, entries, geometry, links, subjects, tasks)
    ),
)


def generate() -> Mapping[str, str]:
    """File name to content, of every schema."""
    return {f"{name}.json": _pretty(schema) for name, schema in sorted(_schemas())}


def stale(folder: Path = FOLDER) -> list[str]:
    """The names of the files that are missing, out of date, or of nothing any more."""
    wanted = generate()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Make the folder right; give the names of the files that changed."""
    wanted, changed = generate(), stale(folder)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def _schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "caller", _of(caller.Caller)
    yield "event", _of(envelope.Event)
    yield "record", _of(records.Record)
    yield "mark", _of(records.Mark)
    yield "problem", _problem()
    for prefix, module in _SPOKEN:
        for name, value in vars(module).items():
            if not name.startswith("_") and _is_message(value) and value.__module__ == module.__name__:
                yield f"{prefix}.{name}", _of(value)


def _is_message(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, (Request, Reply, EventData))


def _of(model: type[BaseModel]) -> dict[str, Any]:
    # Field order is the order of declaration; by validation, for it is what a sender must satisfy.
    return {"$schema": _DIALECT, **model.model_json_schema(mode="validation")}


def _problem() -> dict[str, Any]:
    codes = sorted({error().public_code for error in registered().values()})
    text = {"type": "string"}
    field = {"type": "object", "required": ["pointer", "code", "detail"]}
    return {
        "$schema": _DIALECT,
        "title": "Problem",
        "description": "The public face of an error, as RFC 9457 has it. New codes may be added.",
        "type": "object",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": {**text, "format": "uri"},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {**text, "examples": codes},
            "request_id": text,
            "errors": {
                "type": "array",
                "items": {**field, "properties": dict.fromkeys(field["required"], text)},
            },
            "clause": text,
        },
    }


def _pretty(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
