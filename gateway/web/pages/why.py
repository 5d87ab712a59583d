"""Why somebody may see a case or may not, now or at an instant of the past, in plain words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from gateway.web import times, words
from gateway.web.forms.fields import read_clock
from gateway.web.page import Outcome, Page, Shown
from gateway.web.pages.sharing import names_of
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.errors import Invalid
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.sharing.directory import ListDirectory
from services.contracts.sharing.explain import Explain
from services.contracts.sharing.protocols import ListProtocols

_ASKED = ("case_id", "agency_id", "user_id", "action", "on", "at")
_DEFAULT = "read"


class Why(Page):
    """`/access/why?case_id=&agency_id=&user_id=&action=&on=&at=`: a form, and the answer below it.

    The address has ids, a code, a day and a time: nothing personal. Without a day: now. To whoever does not
    answer for the case it is not found, as it is to them everywhere.
    """

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        chosen = {name: visit.query(name).strip() for name in _ASKED}
        chosen["action"] = chosen["action"] or _DEFAULT
        agencies, protocols = await visit.together(
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
            visit.ask("sharing", "list_protocols", ListProtocols(limit=100)),
        )
        people = await _people(visit, chosen["agency_id"])
        then, wrong = _instant(chosen["on"], chosen["at"])
        found = None
        if chosen["case_id"] and chosen["user_id"] and wrong is None:
            found, wrong = await _explained(visit, chosen, then)
        officer = visit.person is not None and visit.person.is_any("agency_dpo", "partnership_dpo")
        return Shown(
            "shares/why.html",
            {
                "section": "audit" if officer else "cases",
                "chosen": chosen,
                "agencies": agencies["items"],
                "people": people,
                "who": next((one["name"] for one in people if one["id"] == chosen["user_id"]), None),
                "actions": words.choices("explained"),
                "found": found,
                "then": then,
                "wrong": wrong,
                "named": names_of(protocols["items"]),
                "officer": officer,
            },
        )


async def _people(visit: Visit, agency_id: str) -> list[Body]:
    """Of one agency, people and systems; a team can open nothing."""
    if not agency_id:
        return []
    page = await visit.ask("sharing", "list_directory", asked(ListDirectory, agency_id=agency_id, limit=100))
    return [one for one in page["items"] if one["kind"] != "team"]


async def _explained(
    visit: Visit, chosen: dict[str, str], then: datetime | None
) -> tuple[Body | None, str | None]:
    question: dict[str, Any] = {name: chosen[name] for name in ("case_id", "user_id", "action")}
    try:
        request = asked(Explain, question={**question, "at": then})
        return await visit.ask("sharing", "explain", request), None
    except Invalid as problem:
        at = any(one.pointer.endswith("/at") for one in problem.errors)
        return None, "Choose a time that is over" if at else "Choose a person and what it is about"


def _instant(on: str, at: str) -> tuple[datetime | None, str | None]:
    """The end of the minute is not over yet, so it is taken at its beginning. None: now."""
    if not on:
        return None, None
    try:
        clock = read_clock(at or "00:00")
        if clock is not None:
            return times.to_utc(date.fromisoformat(on), clock), None
    except (ValueError, OverflowError):
        pass
    return None, "Enter the day and the time, such as 14:05"
