"""Unusual access, to be looked at; and how much the system is used (R12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.audit.domain import cursors
from services.audit.domain.sight import named_by, sight_of
from services.audit.domain.usage import Tally
from services.audit.domain.views import acting
from services.audit.handlers.filling import cut, fill
from services.audit.handlers.reading import Reading
from services.audit.stores.days import DayStore, Wanted
from services.audit.stores.statements import PickedEntries, PickedLeaves
from services.chassis.commands import CommandLog, Emit
from services.chassis.mongo import Document, Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, FieldError, Invalid, Malformed, NotVisible
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.records import Object
from services.contracts.reviews import (
    AgencyUsage,
    DecideReview,
    GetUsage,
    ListReviews,
    ReviewDecision,
    ReviewItem,
    ReviewList,
    ReviewView,
    TeamUsage,
    Usage,
    UseUsage,
)

LONGEST_SPAN = timedelta(days=366)
_EVERYWHERE = frozenset({"partnership_dpo", "programme_manager", "governance_member"})


class ReviewDecided(Reply):
    """What is stored of a command."""

    review_id: str


class ReviewHandlers(Reading):
    days: DayStore
    picked: PickedEntries
    picked_leaves: PickedLeaves
    commands: CommandLog

    @rpc(expected_exceptions=ConcordatError)
    def list_reviews(self, request: ListReviews, caller: Caller) -> ReviewList:
        """The newest day first. Raises Malformed."""
        agency = None if "partnership_dpo" in caller.roles else caller.agency_id
        wanted = Wanted(agency, request.state, request.kind, request.actor_id)
        after = None if request.cursor is None else _place(request.cursor)
        found, left = fill(
            lambda place, limit: self.days.reviews(wanted, place, limit),
            lambda rows: self._known(caller, rows),
            _place_of,
            request.limit,
            after,
        )
        page, after = cut(found, left, _place_of, request.limit)
        names = self.describe(sorted({one for row in page for one in _ids(row)}))
        disclosed = self.recorded(
            caller,
            [Object(type="review", id=row["_id"]) for row in page] or [Object(type="log", id="reviews")],
        )
        return ReviewList(
            items=tuple(ReviewItem(**_fields(row, names)) for row in page),
            next=None if after is None else cursors.write_id("/".join(after)),
            disclosed=disclosed,
        )

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def decide_review(self, request: DecideReview, caller: Caller) -> ReviewView:
        """Raises NotVisible."""
        row = self.days.review(request.review_id)
        if (
            row is None
            or not ("partnership_dpo" in caller.roles or row["agency_id"] == caller.agency_id)
            or not self._known(caller, [row])
        ):
            problem = NotVisible()
            self.refused(caller, Object(type="review", id=request.review_id), problem, how="opened")
            raise problem
        now, said = datetime.now(UTC), request.review
        decision = {"decision": said.decision, "reason": said.reason, "by": caller.id, "at": now}

        def decide(session: Session, emit: Emit) -> ReviewDecided:
            if self.days.decide(request.review_id, decision, session) is None:
                raise NotVisible
            thing = Object(type="review", id=request.review_id, agency_id=row["agency_id"])
            self.records.keep(acting(caller, "review.decide", "administration", now, [thing]))
            return ReviewDecided(review_id=request.review_id)

        told = self.commands.run(request, ReviewDecided, decide)
        after = self.days.review(told.review_id)
        known = [] if after is None else self._known(caller, [after])
        if not known:
            raise NotVisible
        names = self.describe(sorted(set(_ids(known[0]))))
        disclosed = self.recorded(caller, [Object(type="review", id=told.review_id)], how="opened")
        return ReviewView(**_fields(known[0], names), disclosed=disclosed)

    def _known(self, caller: Caller, rows: list[Document]) -> list[Document]:
        """These, as far as the caller may know of them: without entries about cases that it is under a
        conflict with. Nearly nobody is, and for nobody else an entry is read."""
        if not rows or not self.conflicted(caller):
            return rows
        indexes = self.picked_leaves.indexes({one for row in rows for one in row["entry_ids"]})
        details = self.picked.some(indexes.values())
        records = {id_: details[index].record for id_, index in indexes.items() if index in details}
        sight = sight_of(caller).without(self.shut_out(caller, named_by(records.values())))
        hidden = {
            id_ for id_, record in records.items() if sight.withholds(record) and not sight.sees(record)
        }
        return [known for row in rows if (known := without(row, hidden)) is not None]

    @rpc(expected_exceptions=ConcordatError)
    def get_usage(self, request: GetUsage, caller: Caller) -> Usage:
        """By agency, team and use; no content of any case. Raises Invalid."""
        if not timedelta(0) <= request.until - request.since < LONGEST_SPAN:
            raise Invalid(
                errors=(FieldError("/to", "out_of_range", "At most 366 days, the first not last."),)
            )
        everywhere = not _EVERYWHERE.isdisjoint(caller.roles)
        up_to = self.days.next()
        found = self.days.usage(request.since, request.until, None if everywhere else caller.agency_id)
        names = self.describe(sorted({*found.agencies, *(one for pair in found.teams for one in pair)}))
        disclosed = self.recorded(caller, [Object(type="log", id="usage")])
        return Usage(
            since=request.since,
            until=request.until,
            up_to=up_to,
            agencies=tuple(
                AgencyUsage(agency=_ref(id_, names), **_figures(tally))
                for id_, tally in found.agencies.items()
            ),
            teams=tuple(
                TeamUsage(agency=_ref(agency_id, names), team=_ref(id_, names), **_figures(tally))
                for (id_, agency_id), tally in found.teams.items()
            ),
            uses=tuple(
                UseUsage(
                    use=use,
                    active_users=len(tally.users),
                    cases_opened=tally.opened,
                    contributions=tally.contributed,
                )
                for use, tally in found.uses.items()
            ),
            disclosed=disclosed,
        )


def without(row: Document, hidden: Collection[str]) -> Document | None:
    """A review that does not count what is hidden, as far as it names it; None if that is all it names."""
    left = [one for one in row["entry_ids"] if one not in hidden]
    if not left and row["entry_ids"]:
        return None
    return {**row, "entry_ids": left, "count": row["count"] - (len(row["entry_ids"]) - len(left))}


def _place_of(row: Document) -> tuple[str, str]:
    return row["day"], row["_id"]


def _figures(tally: Tally) -> dict[str, Any]:
    return {
        "active_users": len(tally.users),
        "cases_opened": tally.opened,
        "contributions": tally.contributed,
        "last_log_in": tally.last_log_in,
    }


def _fields(row: Document, names: Mapping[str, str]) -> dict[str, Any]:
    decisions: Sequence[Document] = row["decisions"]
    return {
        "id": row["_id"],
        "kind": row["kind"],
        "day": row["day"],
        "actor": _ref(row["actor_id"], names),
        "agency": _ref(row["agency_id"], names),
        "count": row["count"],
        "entry_ids": tuple(row["entry_ids"]),
        "state": row["state"],
        "decisions": tuple(
            ReviewDecision(
                decision=one["decision"], reason=one["reason"], by=_ref(one["by"], names), at=one["at"]
            )
            for one in decisions
        ),
    }


def _ids(row: Document) -> Iterable[str]:
    return (row["actor_id"], row["agency_id"], *(one["by"] for one in row["decisions"]))


def _ref(one: str, names: Mapping[str, str]) -> Ref:
    return Ref(id=one, name=names.get(one, one))


def _place(cursor: str) -> tuple[str, str]:
    day, found, id_ = cursors.read_id(cursor).partition("/")
    if not found or len(day) != 10 or not id_:
        raise Malformed(cause="cursor")
    return day, id_
