"""`/inbox`: what others did that concerns the visitor."""

from __future__ import annotations

from gateway.web.forms.form import Form
from gateway.web.live import pass_for
from gateway.web.page import Gone, Outcome, Page, Shown, local
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.notify import ItemMark, ListInbox, MarkItem, MarkRead, ReadMark


class Inbox(Page):
    """The list says how many are unread itself, so this page does not count them once more."""

    async def _get(self, visit: Visit, ids: dict[str, str]) -> Outcome:
        request = asked(ListInbox, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("notify", "list_inbox", request)
        visit.unread = found["unread"]
        return Shown(
            "inbox/inbox.html",
            {
                "section": "inbox",
                "items": [{**item, "href": local(item["href"])} for item in found["items"]],
                "next": found["next"],
                "count": found["unread"],
                "live": pass_for(visit, None),
            },
        )


class Read(Page):
    """`/inbox/read`: one item, or everything up to one."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        if item := form.text("item"):
            request = asked(MarkItem, item_id=item, mark=ItemMark(read=True))
            await visit.tell("notify", "mark_item", request, once=visit.fresh())
        else:
            mark = asked(ReadMark, up_to=form.text("up_to"))
            await visit.tell("notify", "mark_read", MarkRead(mark=mark), once=visit.fresh())
        return Gone("/inbox")
