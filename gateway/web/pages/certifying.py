"""Confirming that people and shares are still needed. Nothing ends by not being confirmed."""

from __future__ import annotations

from gateway.web.forms.form import Form
from gateway.web.page import Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.sharing.certifying import (
    CertifyShare,
    CertifyUser,
    ListSharesToCertify,
    ListUsersToCertify,
)

_DONE = {"confirmed": "Confirmed."}


class CertifyUsers(Page):
    """`/administration/certifications`: the agency's administrator confirms each, or disables them."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        overdue = visit.query("overdue") == "true"
        cursor = visit.query("cursor") or None
        request = asked(ListUsersToCertify, overdue=overdue, limit=50, cursor=cursor)
        found = await visit.ask("sharing", "list_users_to_certify", request)
        return Shown(
            "administration/certifications.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "overdue": overdue,
                "administers": visit.person is not None and visit.person.is_any("agency_admin"),
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(CertifyUser, user_id=Form((), visit.typed).text("user_id"))
        await visit.tell("sharing", "certify_user", request, once=visit.fresh())
        return Gone("/administration/certifications?done=confirmed")


class CertifyShares(Page):
    """`/certifications`: an owner confirms each share, or ends it. A data protection officer sees what the
    owners of the agency left overdue."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        of = "agency" if visit.query("of") == "agency" else "mine"
        request = asked(ListSharesToCertify, of=of, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_shares_to_certify", request)
        return Shown(
            "shares/certifications.html",
            {
                "section": "audit" if of == "agency" else "cases",
                "items": found["items"],
                "next": found["next"],
                "of": of,
                "officer": visit.person is not None and visit.person.is_any("agency_dpo"),
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        request = asked(CertifyShare, case_id=form.text("case_id"), share_id=form.text("share_id"))
        await visit.tell("sharing", "certify_share", request, once=visit.fresh())
        return Gone("/certifications?done=confirmed")
