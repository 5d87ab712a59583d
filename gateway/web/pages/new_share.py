"""`/cases/{case_id}/shares/new`: agency, people, level and sections, terms, what they will see, confirm."""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.web import times, words
from gateway.web.forms.drafts import DraftMember, ShareDraft, fingerprint, read_draft
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.page import Gone, Outcome, Page, Shown
from gateway.web.pages import share_choices
from gateway.web.pages.sharing import LEVELS, SECTION_CHOICES, names_of
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from gateway.web.wizard import stepped
from services.contracts.cases.cases import GetCase, PreviewCase, PreviewedShare
from services.contracts.errors import NotOwner
from services.contracts.sharing.protocols import ListProtocols
from services.contracts.sharing.shares import CheckShare, ShareBody, ShareCase

STEPS = ("agency", "people", "level", "terms", "preview")
_SIDES = (("", "Neither"), *words.choices("side"))
_FIELDS: dict[str, tuple[Field, ...]] = {
    "agency": (Field("agency_id", "Which agency?", "choice", missing="Choose the agency"),),
    "people": (
        Field("find", "Search its people, teams and systems", limit=200),
        Field("members", "People, teams and systems", "choices"),
    ),
    "level": (
        Field("level", "What may they do?", "choice", missing="Choose what they may do", options=LEVELS),
        Field("sections", "What may they see?", "choices", options=SECTION_CHOICES,
              hint="Needed from level read on. They do not learn that there are others"),
        Field("side", "Whose side do they work for?", "choice", options=_SIDES,
              hint="The victim's details and safe contact never go to the perpetrator's side"),
    ),
    "terms": (
        Field("terms", "Purpose and legal gateway", "choice", missing="Choose the purpose and legal gateway",
              pointer="/purpose"),
        Field("consent", "Consent of those concerned", "choice", missing="Say whether there is consent",
              options=tuple(words.choices("consent")), pointer="/consent"),
        Field("consent_reason", "Why without consent", "area", limit=500, rows=3, pointer="/consent/reason",
              hint="Needed unless consent was given"),
        Field("expires_at", "Last day of access", "day", missing="Say when their access ends"),
        Field("note", "Note to them", "area", limit=2000, rows=3, hint="You can leave it empty"),
    ),
    "preview": (),
}  # fmt: skip
_POINTERS = (
    Field("agency_id", "The agency", pointer="/agency_id"),
    Field("members", "People and teams", pointer="/members"),
    Field("level", "The level", pointer="/level"),
    Field("sections", "The sections", pointer="/sections"),
    Field("side", "The side", pointer="/side"),
    *_FIELDS["terms"],
    Field("legal_gateway", "The legal gateway", pointer="/legal_gateway"),
    Field("protocol_id", "The protocol", pointer="/protocol_id"),
)


class NewShare(Page):
    """The draft travels from step to step in the page; nothing is stored before the last one."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        return await self._show(visit, Form(_FIELDS["agency"]), ShareDraft(), "agency", ids["case_id"])

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        visit.count_unread()
        draft = read_draft(ShareDraft, visit.typed.get("draft", [""])[-1])
        step = visit.typed.get("step", [""])[-1]
        step = step if step in STEPS else "agency"
        form = Form(_FIELDS[step] or _POINTERS, visit.typed)
        case_id = ids["case_id"]
        return await stepped(
            visit,
            form,
            self._go(visit, form, draft, step, case_id),
            lambda: self._show(visit, form, draft, step, case_id),
        )

    async def _go(self, visit: Visit, form: Form, draft: ShareDraft, step: str, case_id: str) -> Outcome:
        go = form.text("go") or "next"
        if go.startswith("to-"):
            if step == "people":
                _take_members(form, draft)
            return await self._step(visit, form, draft, go.removeprefix("to-"), case_id)
        if step == "people":
            return await self._people(visit, form, draft, go, case_id)
        if step == "preview":
            return await self._share(visit, form, draft, case_id)
        form.check()
        form.require()
        {"agency": _take_agency, "level": _take_level, "terms": _take_terms}[step](form, draft)
        return await self._step(visit, form, draft, STEPS[STEPS.index(step) + 1], case_id)

    async def _people(self, visit: Visit, form: Form, draft: ShareDraft, go: str, case_id: str) -> Shown:
        _take_members(form, draft)
        if go == "find":
            return await self._show(visit, form, draft, "people", case_id)
        if not draft.members:
            form.wrong("members", "Name at least one person, team or system")
            raise NotRight
        return await self._step(visit, form, draft, "level", case_id)

    async def _step(self, visit: Visit, form: Form, draft: ShareDraft, to: str, case_id: str) -> Shown:
        to = to if to in STEPS else "agency"
        following = Form(_FIELDS[to])
        following.once = form.once
        following.fill(
            {
                "agency_id": draft.agency_id or None,
                "level": draft.level or "read",
                "sections": draft.sections or ["summary", "subjects", "timeline", "tasks"],
                "side": draft.side,
                "terms": "|".join(draft.terms) or None,
                "consent": draft.consent or None,
                "consent_reason": draft.consent_reason or None,
                "note": draft.note or None,
            }
        )
        if draft.expires_on:
            following.fill_day("expires_at", date.fromisoformat(draft.expires_on))
        return await self._show(visit, following, draft, to, case_id)

    async def _share(self, visit: Visit, form: Form, draft: ShareDraft, case_id: str) -> Outcome:
        values = _values(draft)
        request = asked(ShareCase, case_id=case_id, share=form.request(ShareBody, values))
        once = f"{form.once}-{fingerprint(values)}"
        made = await visit.tell("sharing", "share_case", request, once=once)
        return Gone(f"/cases/{case_id}/shares/{made['id']}?done=shared")

    async def _show(self, visit: Visit, form: Form, draft: ShareDraft, step: str, case_id: str) -> Shown:
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=case_id))
        if case["my_access"]["via"] != "owner":
            raise NotOwner
        more = await _SHOWS[step](visit, form, draft, case)
        return Shown(
            "shares/new.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "step": step,
                "number": STEPS.index(step) + 1,
                "draft": draft,
                "written": draft.write(),
                "marking": case.get("marking", "official"),
                "agency_name": "",
                "agencies": [],
                "people": [],
                "offered": [],
                "latest": None,
                "terms": None,
                "shows": None,
                "named": {},
                **more,
            },
        )


# --- what each step shows ---


async def _levels(visit: Visit, form: Form, draft: ShareDraft, case: Body) -> Body:
    return {"agency_name": await share_choices.agency_name(visit, draft)}


async def _preview(visit: Visit, form: Form, draft: ShareDraft, case: Body) -> Body:
    """As judged by `sharing` and shown by `cases`: what the confirmation would give, no more and no less."""
    wanted = Form(_POINTERS)
    try:
        share = wanted.request(ShareBody, _values(draft))
    except NotRight:
        form.problems.extend(wanted.problems)
        return {"agency_name": await share_choices.agency_name(visit, draft)}
    judged = PreviewedShare(agency_id=share.agency_id, level=share.level, sections=share.sections,
                            **({"side": share.side} if share.side else {}))  # fmt: skip
    terms, shows, protocols = await visit.together(
        visit.ask("sharing", "check_share", CheckShare(case_id=case["id"], share=share)),
        visit.ask("cases", "preview_case", PreviewCase(case_id=case["id"], share=judged)),
        visit.ask("sharing", "list_protocols", ListProtocols(limit=100)),
    )
    return {
        "terms": terms,
        "shows": shows,
        "agency_name": terms["agency"]["name"],
        "named": names_of(protocols["items"]),
    }


_SHOWS = {
    "agency": share_choices.agencies,
    "people": share_choices.people,
    "level": _levels,
    "terms": share_choices.terms,
    "preview": _preview,
}


# --- what each step takes ---


def _take_agency(form: Form, draft: ShareDraft) -> None:
    if form.text("agency_id") != draft.agency_id:
        draft.members, draft.terms = [], []
    draft.agency_id = form.text("agency_id")[:64]


def _take_members(form: Form, draft: ShareDraft) -> None:
    """Those ticked; what was named before stays unless it is unticked."""
    found: list[DraftMember] = []
    for text in form.all("members")[:50]:
        kind, _, rest = text.partition("|")
        who, _, name = rest.partition("|")
        if kind in ("user", "team", "client"):
            found.append(DraftMember(kind=kind, id=who[:64], name=name[:300]))
    draft.members = list({(one.kind, one.id): one for one in found}.values())


def _take_level(form: Form, draft: ShareDraft) -> None:
    draft.level, draft.side = form.text("level"), form.text("side")
    draft.sections = form.all("sections")[:9] if draft.level not in ("know", "task") else []
    if draft.level not in ("know", "task") and not draft.sections:
        form.wrong("sections", "Choose at least one section")
    if draft.side == "perpetrator" and {"victim", "safe_contact"} & set(draft.sections):
        form.wrong("sections", words.refusal("section_not_for_side"))
    form.require()


def _take_terms(form: Form, draft: ShareDraft) -> None:
    last = form.day("expires_at")
    if form.text("consent") != "given" and not form.text("consent_reason"):
        form.wrong("consent_reason", "Say why it is shared without consent")
    if last is not None and last < times.today():
        form.wrong("expires_at", "The last day of access must be today or later")
    form.require()
    draft.terms = form.text("terms").split("|")[:3]
    draft.consent, draft.consent_reason = form.text("consent"), form.text("consent_reason")
    draft.expires_on = last.isoformat() if last else ""
    draft.note = form.text("note")


def _values(draft: ShareDraft) -> dict[str, Any]:
    """The body of `POST /cases/{id}/shares`."""
    protocol, purpose, gateway = (*draft.terms, "", "", "")[:3]
    consent: dict[str, Any] = {"state": draft.consent}
    if draft.consent_reason:
        consent["reason"] = draft.consent_reason
    values: dict[str, Any] = {
        "agency_id": draft.agency_id,
        "members": [{f"{one.kind}_id": one.id} for one in draft.members],
        "level": draft.level,
        "sections": draft.sections,
        "purpose": purpose,
        "protocol_id": protocol,
        "legal_gateway": gateway,
        "consent": consent,
        "expires_at": times.end_of(date.fromisoformat(draft.expires_on)) if draft.expires_on else "",
    }
    if draft.side:
        values["side"] = draft.side
    if draft.note:
        values["note"] = draft.note
    return values
