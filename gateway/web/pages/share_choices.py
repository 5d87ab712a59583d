"""What there is to choose from when a case is shared: agencies, their people, terms.

Only what the protocols in force allow is offered; whatever is sent is judged by `sharing` all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from gateway.web import times, words
from gateway.web.forms.drafts import ShareDraft
from gateway.web.forms.form import Form
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.sharing.directory import ListDirectory, SearchDirectory
from services.contracts.sharing.protocols import ListProtocols


async def agencies(visit: Visit, form: Form, draft: ShareDraft, case: Body) -> Body:
    """Each with why it cannot be chosen, if it cannot."""
    found, protocols = await _known(visit)
    active = [one for one in protocols if one["state"] == "active"]
    covered = {party for one in active for party in one["parties"]}
    offered = []
    for one in found:
        if one["type"] == "operator":
            continue
        why = ""
        if one["state"] != "active":
            why = f"Not active: {words.word('agency_state', one['state']).lower()}"
        elif one["id"] not in covered:
            why = "No protocol in force with your agency"
        offered.append({"id": one["id"], "name": one["name"], "type": one["type"], "why": why})
    return {"agencies": sorted(offered, key=lambda one: (bool(one["why"]), one["name"]))}


async def people(visit: Visit, form: Form, draft: ShareDraft, case: Body) -> Body:
    """Of the agency that was chosen, without those who are named already."""
    text = form.text("find")
    if text:
        request: Any = SearchDirectory(text=text[:200], agency_id=draft.agency_id, limit=100)
        found = await visit.ask("sharing", "search_directory", request)
    else:
        found = await visit.ask(
            "sharing", "list_directory", asked(ListDirectory, agency_id=draft.agency_id, limit=100)
        )
    named = {(one.kind, one.id) for one in draft.members}
    others = [one for one in found["items"] if (one["kind"], one["id"]) not in named]
    return {"people": others, "agency_name": await agency_name(visit, draft)}


async def terms(visit: Visit, form: Form, draft: ShareDraft, case: Body) -> Body:
    """Purposes and legal gateways together, and until when; what there is no choice about is filled in."""
    found, protocols = await _known(visit)
    agency = next((one for one in found if one["id"] == draft.agency_id), None)
    offered = list(_allowed(agency, protocols)) if agency else []
    latest = max((ends for _, _, ends in offered), default=None)
    if latest and not form.sent and not form.text("expires_at-day"):
        wished = times.today() + timedelta(days=90)
        form.fill_day("expires_at", min(wished, date.fromisoformat(latest)))
    if len(offered) == 1:
        form.fill({"terms": offered[0][0]})
    return {
        "offered": [(code, text) for code, text, _ in offered],
        "latest": latest,
        "agency_name": agency["name"] if agency else "",
    }


async def agency_name(visit: Visit, draft: ShareDraft) -> str:
    found = await visit.ask("sharing", "list_agencies", ListAgencies(limit=100))
    return next((str(one["name"]) for one in found["items"] if one["id"] == draft.agency_id), "the agency")


async def _known(visit: Visit) -> tuple[list[Body], list[Body]]:
    found, protocols = await visit.together(
        visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
        visit.ask("sharing", "list_protocols", ListProtocols(limit=100)),
    )
    ours = visit.person.agency_id if visit.person else ""
    return found["items"], [one for one in protocols["items"] if ours in one["parties"]]


def _allowed(agency: Body, protocols: list[Body]) -> Iterator[tuple[str, str, str]]:
    """(code, words, last day) of each purpose with each gateway that runs to this kind of agency."""
    for protocol in protocols:
        if protocol["state"] != "active" or agency["id"] not in protocol["parties"]:
            continue
        for purpose in protocol["purposes"]:
            for gateway in purpose["legal_gateways"]:
                if agency["type"] in gateway["recipient_types"]:
                    code = f"{protocol['id']}|{purpose['code']}|{gateway['code']}"
                    text = (
                        f"{purpose['name']}: {gateway['name']} ({protocol['title']}, "
                        f"until {times.day(protocol['ends_on'])})"
                    )
                    yield code, text, protocol["ends_on"]
