"""An item as it lies in the database, by itself and inside its deliveries; a checkpoint inside its."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.mongo import Document
from services.notify.domain.checkpoints import Checkpoint
from services.notify.domain.delivery import Told
from services.notify.domain.items import Item

_PLAIN = ("event_id", "type", "source", "number", "at", "case_id")
_LISTS = ("keys", "withheld_from")
_OPTIONAL = (
    "entry_id",
    "task_id",
    "share_id",
    "section",
    "assignee",
    "actor_id",
    "owner_agency_id",
    "alert",
    "reminder",
    "object_id",
)
_OF_CHECKPOINT = ("event_id", "at", "origin", "size", "root_hash", "note")


def to_row(item: Item) -> Document:
    row: Document = {"_id": item.id, **{name: getattr(item, name) for name in _PLAIN}}
    row |= {name: list(getattr(item, name)) for name in _LISTS}
    return row | {name: value for name in _OPTIONAL if (value := getattr(item, name)) is not None}


def from_row(row: Mapping[str, Any]) -> Item:
    fields: dict[str, Any] = {name: row[name] for name in _PLAIN}
    fields |= {name: tuple(row[name]) for name in _LISTS}
    fields |= {name: row.get(name) for name in _OPTIONAL}
    return Item(id=row["_id"], n=row.get("n", 0), **fields)


def told_to_row(told: Told) -> Document:
    if isinstance(told, Item):
        return to_row(told)
    return {name: getattr(told, name) for name in _OF_CHECKPOINT}


def told_from_row(row: Mapping[str, Any]) -> Told:
    return Checkpoint(**{name: row[name] for name in _OF_CHECKPOINT}) if "note" in row else from_row(row)
