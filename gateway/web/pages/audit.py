"""The log, for those who may read of it: search, an entry with its proof, the export, the checkpoint."""

from __future__ import annotations

from datetime import date, time, timedelta
from urllib.parse import urlencode

from gateway.web import times
from gateway.web.page import Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.audit import GetEntry, GetProof, LatestCheckpoint, ListEntries, ListKeys
from services.contracts.errors import Unavailable

_IDS = ("actor_id", "agency_id", "case_id", "subject_id")
_NAMES = (*_IDS, "action", "outcome", "from", "to")
ACTIONS = (
    "case.read",
    "case.list",
    "case.search",
    "case.create",
    "case.update",
    "entry.add",
    "entry.revise",
    "entry.withdraw",
    "task.add",
    "share.create",
    "share.change",
    "share.revoke",
    "session.create",
    "session.sign_in",
    "log.read",
    "log.export",
)
"""The usual ones, to choose from; any other can be typed."""


class Audit(Page):
    """`/audit?actor_id=&…`: by id, code and day only, so that nothing personal stands in the URL."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        chosen = {name: visit.query(name).strip() for name in _NAMES}
        given = {name: value for name, value in chosen.items() if value}
        values: dict[str, object] = {
            name: value for name, value in given.items() if name not in ("from", "to")
        }
        since, until = _day(chosen["from"]), _day(chosen["to"])
        if since is not None:
            values["since"] = times.to_utc(since, time())
        if until is not None:
            values["until"] = times.to_utc(until + timedelta(days=1), time())
        cursor = visit.query("cursor") or None
        found = await visit.ask(
            "audit", "list_entries", asked(ListEntries, limit=50, cursor=cursor, **values)
        )
        return Shown(
            "audit/list.html",
            {
                "section": "audit",
                "items": found["items"],
                "next": found["next"],
                "chosen": chosen,
                "actions": ACTIONS,
                "url": f"/audit?{urlencode(given)}" if given else "/audit",
                "exports": visit.person is not None and visit.person.is_any("agency_dpo", "partnership_dpo"),
            },
        )


class Entry(Page):
    """`/audit/entries/{entry_id}`, with the proof that it is in the log."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        entry = await visit.ask("audit", "get_entry", asked(GetEntry, **ids))
        proof: Body | None = None
        try:
            proof = await visit.ask("audit", "get_proof", asked(GetProof, **ids))
        except Unavailable:
            # No checkpoint covers it yet; the page says so.
            proof = None
        return Shown("audit/entry.html", {"section": "audit", "entry": entry, "proof": proof})


class Checkpoint(Page):
    """`/audit/checkpoint`: the newest signed statement, the keys, and how to check an export oneself."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        keys = await visit.ask("audit", "list_keys", ListKeys())
        checkpoint: Body | None = None
        try:
            checkpoint = await visit.ask("audit", "latest_checkpoint", LatestCheckpoint())
        except Unavailable:
            checkpoint = None
        return Shown(
            "audit/checkpoint.html",
            {"section": "audit", "checkpoint": checkpoint, "keys": keys["items"]},
        )


def _day(text: str) -> date | None:
    """Of an input of type date; anything else is no limit."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
