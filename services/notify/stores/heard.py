"""How far the events of cases were heard: reads the chassis's positions."""

from __future__ import annotations

from collections.abc import Collection

from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.chassis.positions import Positions


class HeardStore:
    def __init__(self, database: Database[Document]) -> None:
        self._positions = Positions(database)

    def of_cases(self, producer: str, case_ids: Collection[str]) -> dict[str, int]:
        """By case; one that nothing was heard of is absent."""
        keys = {f"{producer}/cases/{one}": one for one in case_ids}
        with in_time():
            found = self._positions.furthest(list(keys))
        return {keys[key]: number for key, number in found.items()}
