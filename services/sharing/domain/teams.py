"""Teams: walls inside an agency (R56)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Team:
    """Who belongs to it stands in the users."""

    id: str
    agency_id: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
