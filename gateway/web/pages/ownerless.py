"""Cases whose owner cannot act: an agency's administrator finds a new one and sees nothing of them (R38,
R39); and deputies, so that it does not come to that."""

from __future__ import annotations

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.pages.transfers import Deciding, OfferCase, people_of
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.sharing.people import GetUser, PatchUser, UserChanges
from services.contracts.sharing.transfers import ListOwnerless, ListTransfers

_DONE = {"offered": "Offered. The person accepts or declines it.", "cancelled": "The offer is taken back."}


class Ownerless(Page):
    """`/administration/ownerless`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        found = await visit.ask(
            "sharing",
            "list_ownerless",
            asked(ListOwnerless, limit=50, cursor=visit.query("cursor") or None),
        )
        return Shown(
            "administration/ownerless.html",
            {
                "section": "administration",
                "items": found["items"],
                "count": found["count"],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class Appoint(OfferCase):
    """`/administration/ownerless/{case_id}`: offer the case to somebody of the own agency."""

    template = "administration/appoint.html"

    async def about(self, visit: Visit, case_id: str) -> Body:
        found = await visit.ask("sharing", "list_transfers", asked(ListTransfers, case_id=case_id))
        offered = next((one for one in found["items"] if one["state"] == "offered"), None)
        return {"section": "administration", "offered": offered}

    def back_to(self, case_id: str) -> str:
        return "/administration/ownerless?done=offered"


class TakeBack(Deciding):
    """`/administration/ownerless/{case_id}/{transfer_id}`: take back what was offered."""

    template, done = "administration/take_back.html", "cancelled"

    async def more(self, visit: Visit, case_id: str) -> Body:
        return {"section": "administration"}

    def back_to(self, case_id: str) -> str:
        return "/administration/ownerless?done=cancelled"


class Deputy(FormPage):
    """`/administration/users/{user_id}/deputy`: who is given this user's cases when they cannot act."""

    fields = (Field("deputy_id", "Deputy", "select"), Field("find", "Search", limit=200))

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        user = await visit.ask("sharing", "get_user", asked(GetUser, user_id=ids["user_id"]))
        people = await people_of(visit, user["agency_id"], form.text("find"))
        if not form.sent:
            form.fill({"deputy_id": user["deputy_id"] or "", "etag": user.get("etag")})
        others = [(one["id"], one["name"]) for one in people if one["id"] != user["id"]]
        present = user["deputy_id"]
        if present and present not in dict(others):
            others.append((present, "As it is now"))
        context = {"section": "administration", "form": form, "user": user}
        return Shown("administration/deputy.html", {**context, "people": [("", "Nobody"), *others]})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        if form.text("go") == "find":
            return await self.show(visit, form, **ids)
        changes = form.request(UserChanges, {"deputy_id": form.text("deputy_id") or None})
        request = asked(PatchUser, user_id=ids["user_id"], if_match=form.etag, changes=changes)
        await visit.tell("sharing", "patch_user", request, once=form.once)
        return Gone(f"/administration/users/{ids['user_id']}?done=saved")
