"""The shares of a case: who can see it and why, who has seen it, change, revoke, hand back."""

from __future__ import annotations

from typing import Any

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.live import pass_for
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.audit import ListCaseConsultations
from services.contracts.cases.cases import GetCase
from services.contracts.cases.tasks import ListTasks
from services.contracts.sharing.directory import ListDirectory
from services.contracts.sharing.protocols import ListProtocols
from services.contracts.sharing.shares import (
    ChangeShare,
    GetShare,
    ListAccess,
    ListShares,
    RevokeShare,
    ShareChange,
)
from services.contracts.vocabulary import SECTIONS

LEVELS = tuple(words.choices("level"))
SECTION_CHOICES = tuple((code, words.word("section", code)) for code in SECTIONS)
_DONE = {"shared": "Shared.", "changed": "The share is changed. It is in effect now.", "back": "Handed back."}


class Shares(Page):
    """`/cases/{case_id}/shares`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id = ids["case_id"]
        case, found = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask(
                "sharing",
                "list_shares",
                asked(ListShares, case_id=case_id, limit=50, cursor=visit.query("cursor") or None),
            ),
        )
        return Shown(
            "shares/list.html",
            {
                **_about(visit, case),
                "shares": found["items"],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class Access(Page):
    """`/cases/{case_id}/access`: who can see it and why, person by person (R35)."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id, cursor = ids["case_id"], visit.query("cursor") or None
        case, found, protocols = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask("sharing", "list_access", asked(ListAccess, case_id=case_id, limit=100, cursor=cursor)),
            visit.ask("sharing", "list_protocols", ListProtocols(limit=100)),
        )
        context = {
            **_about(visit, case),
            "items": found["items"],
            "next": found["next"],
            "named": names_of(protocols["items"]),
        }
        return Shown("shares/access.html", context)


class Seen(Page):
    """`/cases/{case_id}/consultations`: who has seen it (R35)."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id, cursor = ids["case_id"], visit.query("cursor") or None
        case, found = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask(
                "audit",
                "list_case_consultations",
                asked(ListCaseConsultations, case_id=case_id, limit=50, cursor=cursor),
            ),
        )
        context = {**_about(visit, case), "items": found["items"], "next": found["next"]}
        return Shown("shares/consultations.html", context)


class OneShare(Page):
    """`/cases/{case_id}/shares/{share_id}`: its terms; of a revoked one, since when it is in effect."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case, share, protocols = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"])),
            visit.ask("sharing", "get_share", asked(GetShare, **ids)),
            visit.ask("sharing", "list_protocols", ListProtocols(limit=100)),
        )
        return Shown(
            "shares/share.html",
            {
                **_about(visit, case),
                "share": share,
                "named": names_of(protocols["items"]),
                "mine": case["my_access"]["via"] == "owner",
                "done": _DONE.get(visit.query("done")),
            },
        )


class ChangeOne(FormPage):
    """`/cases/{case_id}/shares/{share_id}/change`: who, how much, until when."""

    fields = (
        Field("members", "Who is named", "choices", missing="Name at least one", pointer="/members"),
        Field("level", "What they may do", "choice", options=LEVELS),
        Field("sections", "What they may see", "choices", options=SECTION_CHOICES),
        Field("expires_at", "Last day", "day"),
        Field("note", "Note to them", "area", limit=2000, rows=3),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        share, marking = await visit.together(
            visit.ask("sharing", "get_share", asked(GetShare, **ids)), marked(visit, ids["case_id"])
        )
        people = await visit.ask(
            "sharing", "list_directory", ListDirectory(agency_id=share["agency_id"], limit=100)
        )
        offered = {
            f"{one['kind']}:{one['id']}": f"{one['name']}, {words.word('kind', one['kind']).lower()}"
            for one in [*share["who"], *(one for one in people["items"] if one["available"])]
        }
        if not form.sent:
            form.fill(
                {
                    "members": [f"{one['kind']}:{one['id']}" for one in share["who"]],
                    "level": share["level"],
                    "sections": share["sections"],
                    "note": share.get("note"),
                    "etag": share.get("etag"),
                }
            )
            if share["expires_at"]:
                form.fill_day("expires_at", times.moment(share["expires_at"]).date())
        return Shown(
            "shares/change.html",
            {
                "section": "cases",
                "form": form,
                "share": share,
                "case_id": ids["case_id"],
                "offered": sorted(offered.items(), key=lambda pair: pair[1]),
                **marking,
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        share = await visit.ask("sharing", "get_share", asked(GetShare, **ids))
        body: dict[str, Any] = {}
        members = [_member(one) for one in form.all("members")]
        if sorted(map(str, members)) != sorted(str(_plain(one)) for one in share["members"]):
            body["members"] = members
        if form.text("level") != share["level"]:
            body["level"] = form.text("level")
        if sorted(form.all("sections")) != sorted(share["sections"]):
            body["sections"] = form.all("sections")
        if (last := form.day("expires_at")) is not None:
            before = share["expires_at"] and times.moment(share["expires_at"]).date()
            if last != before:
                body["expires_at"] = times.end_of(last)
        if form.text("note") and form.text("note") != (share.get("note") or ""):
            body["note"] = form.text("note")
        if not body:
            form.fail("Nothing is changed yet")
            raise NotRight
        request = asked(ChangeShare, **ids, if_match=form.etag, change=form.request(ShareChange, body))
        await visit.tell("sharing", "change_share", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/shares?done=changed")


class Revoke(FormPage):
    """`/cases/{case_id}/shares/{share_id}/revoke`: names everybody who loses access, and the tasks that come
    back, before it is done; after it, the moment since when it is in effect."""

    fields = (
        Field("reason", "Why", "choice", missing="Choose why", options=tuple(words.choices("revoke_reason"))),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        share, access, tasks, marking = await visit.together(
            visit.ask("sharing", "get_share", asked(GetShare, **ids)),
            visit.ask("sharing", "list_access", asked(ListAccess, case_id=ids["case_id"], limit=100)),
            visit.ask("cases", "list_tasks", asked(ListTasks, case_id=ids["case_id"], limit=100)),
            marked(visit, ids["case_id"]),
        )
        return Shown(
            "shares/revoke.html",
            {
                "section": "cases",
                "form": form,
                "share": share,
                "case_id": ids["case_id"],
                **_lost(share, access["items"], tasks["items"]),
                "more": bool(access["next"]),
                **marking,
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        request = asked(RevokeShare, **ids, reason=form.text("reason"))
        await visit.tell("sharing", "revoke_share", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/shares/{ids['share_id']}")


class HandBack(FormPage):
    """`/cases/{case_id}/shares/{share_id}/hand-back`: a recipient ends its own access."""

    fields = (Field("reason", "Why you hand it back", "area", missing="Say why", limit=500, rows=3),)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        share, marking = await visit.together(
            visit.ask("sharing", "get_share", asked(GetShare, **ids)), marked(visit, ids["case_id"])
        )
        form.fill({"etag": share.get("etag")})
        return Shown(
            "shares/hand_back.html",
            {"section": "cases", "form": form, "share": share, "case_id": ids["case_id"], **marking},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        change = form.request(ShareChange, {"state": "revoked", "reason": form.text("reason")})
        request = asked(ChangeShare, **ids, if_match=form.etag, change=change)
        await visit.tell("sharing", "change_share", request, once=form.once)
        return Gone("/cases?mine=shared")


def names_of(protocols: list[Body]) -> dict[str, str]:
    """What the codes of purposes and legal gateways mean, as the protocols have it."""
    found = {}
    for protocol in protocols:
        for purpose in protocol["purposes"]:
            found[purpose["code"]] = purpose["name"]
            found.update((gateway["code"], gateway["name"]) for gateway in purpose["legal_gateways"])
    return found


def _about(visit: Visit, case: Body) -> Body:
    return {
        "section": "cases",
        "case": case,
        "case_id": case["id"],
        "marking": case.get("marking", "official"),
        "live": pass_for(visit, case["id"]),
        "done": None,
    }


def _lost(share: Body, access: list[Body], tasks: list[Body]) -> Body:
    """Who loses access: named by this share and by nothing else; and which of their open tasks come back."""
    ours = {one["who"]["id"]: one["who"] for one in access if one.get("share_id") == share["id"]}
    other = {one["who"]["id"] for one in access if one.get("share_id") != share["id"]}
    gone = {who_id: who for who_id, who in ours.items() if who_id not in other}
    assignees = {*gone, *(one["id"] for one in share["who"] if one["kind"] == "team")}
    back = [
        task
        for task in tasks
        if task["state"] in ("offered", "accepted")
        and (task["assignee"].get("user_id") or task["assignee"].get("team_id")) in assignees
    ]
    return {
        "gone": sorted(gone.values(), key=lambda who: str(who["name"])),
        "stay": sorted(
            (ours[who_id] for who_id in ours if who_id in other), key=lambda who: str(who["name"])
        ),
        "back": back,
    }


def _member(text: str) -> dict[str, str]:
    kind, _, who = text.partition(":")
    return {f"{kind if kind in ('user', 'team', 'client') else 'user'}_id": who}


def _plain(member: Body) -> dict[str, str]:
    return {name: value for name, value in member.items() if value is not None}
