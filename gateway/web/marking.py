"""The protective marking of a case, for pages about a part of it: every one carries it."""

from __future__ import annotations

from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.cases.cases import GetCase
from services.contracts.errors import RoleRequired


async def marked(visit: Visit, case_id: str) -> Body:
    """`{"marking": …}`. Who may not read the case itself, only own tasks in it, sees the lowest one."""
    try:
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=case_id))
    except RoleRequired:
        return {"marking": "official"}
    return {"marking": case.get("marking", "official")}
