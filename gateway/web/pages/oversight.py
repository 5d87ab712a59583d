"""What was worked out of the log: unusual access to be looked at, and how much the system is used."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.reviews import DecideReview, DecisionBody, GetUsage, ListReviews

_NAMES = ("state", "kind", "actor_id")


class Reviews(Page):
    """`/audit/reviews?state=&kind=&actor_id=`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        chosen = {name: visit.query(name).strip() for name in _NAMES}
        given = {name: value for name, value in chosen.items() if value}
        request = asked(ListReviews, limit=50, cursor=visit.query("cursor") or None, **given)
        found = await visit.ask("audit", "list_reviews", request)
        return Shown(
            "audit/reviews.html",
            {
                "section": "audit",
                "items": found["items"],
                "next": found["next"],
                "chosen": chosen,
                "url": f"/audit/reviews?{urlencode(given)}" if given else "/audit/reviews",
                "done": "Your decision is kept." if visit.query("done") else None,
            },
        )


class Review(FormPage):
    """`/audit/reviews/{review_id}`: decide about one."""

    fields = (
        Field(
            "decision",
            "What is it?",
            "choice",
            missing="Choose what it is",
            options=tuple(words.choices("decision")),
        ),
        Field("reason", "Reason", "area", missing="Say why", limit=1000, rows=4),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        kind, _, rest = ids["review_id"].partition(".")
        day, _, actor_id = rest.partition(".")
        # Whoever may not decide learns it here, not after typing.
        await visit.ask("audit", "list_reviews", asked(ListReviews, limit=1, actor_id=actor_id or None))
        return Shown(
            "audit/review.html",
            {"section": "audit", "form": form, "kind": kind, "day": day, "actor_id": actor_id},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = {"decision": form.text("decision"), "reason": form.text("reason")}
        request = asked(DecideReview, review=form.request(DecisionBody, body), **ids)
        await visit.tell("audit", "decide_review", request, once=form.once)
        return Gone("/audit/reviews?state=open&done=1")


class Usage(Page):
    """`/audit/usage?from=&to=`: tables, each with bars; without content of any case (R12)."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        today = times.today()
        since = _day(visit.query("from")) or today - timedelta(days=29)
        until = _day(visit.query("to")) or today
        found = await visit.ask("audit", "get_usage", asked(GetUsage, since=since, until=until))
        figures = [*found["agencies"], *found["teams"], *found["uses"]]
        return Shown(
            "audit/usage.html",
            {
                "section": "audit",
                "since": since.isoformat(),
                "until": until.isoformat(),
                "usage": found,
                "most": max((one["cases_opened"] for one in figures), default=0) or 1,
            },
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
