"""Callers, lists and cases for the tests of this service."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.cases.domain.case import Case
from services.contracts.access import AccessList, Owner, Share
from services.contracts.caller import Caller
from services.contracts.paging import Ref

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def caller(user_id: str = "ann", agency_id: str = "police", **more: Any) -> Caller:
    fields: dict[str, Any] = {
        "kind": "user",
        "id": user_id,
        "agency_id": agency_id,
        "roles": ("practitioner",),
        "session_id": f"session-{user_id}",
        "device_class": "managed",
        "audience": "cases",
        "method": "get_case",
        "args_hash": "0" * 64,
        "request_id": "request",
        "now": NOW,
        "expires_at": NOW + timedelta(seconds=10),
    }
    return Caller(**{**fields, **more})


def share(user_id: str, agency_id: str, **more: Any) -> Share:
    fields: dict[str, Any] = {
        "id": f"share-{user_id}",
        "agency_id": agency_id,
        "user_ids": (user_id,),
        "level": "read",
        "sections": ("summary", "subjects", "timeline", "tasks"),
    }
    return Share(**{**fields, **more})


def acl(*shares: Share, case_id: str = "case", epoch: int = 1) -> AccessList:
    owner = Owner(user=Ref(id="ann", name="Ann"), agency=Ref(id="police", name="Police"), team=None)
    return AccessList(case_id=case_id, term=1, epoch=epoch, owner=owner, shares=shares)


def case(*shares: Share, **more: Any) -> Case:
    made = Case(
        id="case",
        reference="C-2222-3333",
        template="complex_asb",
        title="Noise at night",
        status="open",
        priority="low",
        marking="official",
        acl=acl(*shares),
        created_at=NOW,
        created_by="ann",
        summary="A dog barks",
        changed={"case": NOW},
    )
    return replace(made, **more)
