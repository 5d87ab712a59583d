"""Items and access lists for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.contracts.access import AccessList, Owner, Share
from services.contracts.paging import Ref
from services.notify.domain.checkpoints import Checkpoint
from services.notify.domain.items import Item

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def item(**changed: Any) -> Item:
    """An entry that was added to case k1."""
    usual: dict[str, Any] = {
        "id": "i1",
        "event_id": "0197f0a0-0000-7000-8000-000000000001",
        "type": "entry.added",
        "source": "/concordat/cases",
        "number": 3,
        "at": AT,
        "case_id": "k1",
        "entry_id": "e1",
        "section": "timeline",
    }
    return Item(**{**usual, **changed})


def checkpoint(**changed: Any) -> Checkpoint:
    """Of a log with four entries."""
    usual: dict[str, Any] = {
        "event_id": "0197f0a0-0000-7000-8000-000000000002",
        "at": AT,
        "origin": "test.example/log",
        "size": 4,
        "root_hash": "cm9vdA==",
        "note": "a note",
    }
    return Checkpoint(**{**usual, **changed})


def access(case_id: str = "k1") -> AccessList:
    """Owned by u1, shared with team t1, user u2 and client c1."""
    share = Share(
        id="s1",
        agency_id="a2",
        user_ids=("u2",),
        team_ids=("t1",),
        client_ids=("c1",),
        level="read",
        sections=("summary",),
    )
    owner = Owner(user=Ref(id="u1", name="O"), agency=Ref(id="a1", name="A"))
    return AccessList(case_id=case_id, term=1, epoch=1, owner=owner, shares=(share,))
