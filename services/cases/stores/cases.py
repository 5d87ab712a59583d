"""Where cases are kept, each with the access list that it is judged by.

cases  {_id, reference, template, title, status, priority, marking, summary, external_ref, version,
        created_at, created_by, subjects [{id, name, kind, role}], changed {part: moment}, latest, entries,
        withheld [{agencies, count, at}], tasks_open, next_due, words [folded],
        acl {the AccessList}, readers [its index keys], owner_user, owner_agency, settled [term, epoch]}

`settled`: up to which list the tasks of those who lost access were given back to the owner.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo import ASCENDING, DESCENDING, ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.cases.domain.case import Case, Change, clock
from services.cases.stores.case_rows import case_of, columns_of, row_of
from services.cases.stores.decoys import NOBODY, decoy_of
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.access import AccessList
from services.contracts.bars import About
from services.contracts.vocabulary import CaseStatus, Template

KNOWN_AT_MOST = 50_000
_PLAIN = frozenset({"status", "priority", "marking", "next_due", "withheld"})
"""What of a change names nobody and quotes nothing."""
_UNSEEN = {"words": False, "readers": False, "settled": False}
_IN_LISTS = {**_UNSEEN, "summary": False, "subjects": False, "external_ref": False}
_IN_SEARCHES = {name: seen for name, seen in _IN_LISTS.items() if name != "summary"}


class Moved(Exception):
    """The case is no longer at the access list, the version or the status that was decided on."""


class ReferenceTaken(Exception):
    """Another case has this reference."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: those that name one of `keys`, and what else is asked."""

    keys: Sequence[str]
    user_id: str
    mine: Literal["owned", "shared"] | None = None
    status: CaseStatus | None = None
    template: Template | None = None
    agency_id: str | None = None
    changed_since: datetime | None = None


class CaseStore:
    """Cases in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["cases"]
        # Facts that stay true: a list at least as new as this is there, with a majority.
        self._known: dict[str, int] = {}

    def find(self, case_id: str, keys: Collection[str] | None = None) -> Case | None:
        """The case. If `keys` are given and it names none of them, a decoy of its owner's agency instead.

        A hidden case stays in the database then: it takes as long as one that is not there (V7).
        """
        if keys is None:
            with in_time():
                row = self._rows.find_one({"_id": case_id}, _UNSEEN)
            if row is None:
                return None
            case = case_of(row)
            self._note([(case_id, case.acl.epoch)])
            return case
        with in_time():
            named = {"_id": case_id, "readers": {"$in": list(keys)}}
            # Both are answered by an index alone where the case is hidden: its size does not show.
            row = self._rows.find_one(named, _UNSEEN, hint="readers")
            if row is not None:
                return case_of(row)
            whose = (
                self._rows.find_one({"_id": case_id}, {"_id": False, "owner_agency": True}, hint="whose")
                or {}
            )
        return decoy_of(case_id, whose.get("owner_agency", NOBODY))

    def decoy(self, case_id: str) -> Case:
        """A case that names nobody, at the cost of a real one: what is judged when there is none."""
        return decoy_of(case_id)

    def find_many(self, case_ids: Collection[str]) -> dict[str, Case]:
        """By id, without what lists do not show."""
        if not case_ids:
            return {}
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": sorted(case_ids)}}, _IN_LISTS))
        return {row["_id"]: case_of(row) for row in rows}

    def by_reference(self, reference: str, keys: Sequence[str]) -> Case | None:
        """If it names one of `keys`: one that does not costs here what one costs that there is not."""
        with in_time():
            row = self._rows.find_one({"reference": reference, "readers": {"$in": list(keys)}}, _IN_LISTS)
        return None if row is None else case_of(row)

    def listed(self, wanted: Wanted, before: str | None, limit: int) -> list[Case]:
        """The newest first, from `before` on: one range of one index per key, merged."""
        with in_time():
            rows = self._rows.find(_query(wanted, before), _IN_LISTS)
            return [case_of(row) for row in rows.sort("_id", DESCENDING).limit(limit).batch_size(limit + 1)]

    def searched(self, wanted: Wanted, words: Sequence[str], before: str | None, limit: int) -> list[Case]:
        """Of `wanted` those in which each of `words` begins a word.

        Costs one read, in the database, of each case that names the caller, at most: never of others'.
        """
        query = _query(wanted, before)
        query["$and"] = [{"words": re.compile("^" + re.escape(word))} for word in words]
        with in_time():
            rows = self._rows.find(query, _IN_SEARCHES)
            return [case_of(row) for row in rows.sort("_id", DESCENDING).limit(limit).batch_size(limit + 1)]

    def insert(self, case: Case, session: Session) -> None:
        """Raises ReferenceTaken."""
        try:
            self._rows.insert_one(row_of(case), session=session)
        except DuplicateKeyError as problem:
            if "reference" in str((problem.details or {}).get("keyPattern", "")):
                raise ReferenceTaken from None
            raise

    def advance(self, case: Case, change: Change, session: Session, *, reopens: bool = False) -> Case:
        """Take the next version of `case` with `change`; what it is then.

        Raises Moved if the access list is not the one that was decided on, if the case was closed meanwhile,
        or, for an exact change, if anything else was changed.
        """
        wanted: Document = {"_id": case.id, "acl.term": case.acl.term, "acl.epoch": case.acl.epoch}
        if change.exact:
            wanted["version"] = case.version
        if not reopens:
            wanted["status"] = {"$ne": "closed"}
        plain = {name: value for name, value in change.sets.items() if _is_plain(name)}
        row: Document | None = self._advance(wanted, plain, change.counts, session)
        if len(plain) < len(change.sets):
            # The database logs a write that meets another with all that it says. Texts follow when the case
            # is this transaction's, and nothing can meet it any more.
            texts = {name: value for name, value in change.sets.items() if name not in plain}
            row = self._rows.find_one_and_update(
                {"_id": case.id},
                {"$set": texts},
                _UNSEEN,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
        if row is None:
            raise Moved
        return case_of(row)

    def _advance(
        self, wanted: Document, sets: Mapping[str, Any], counts: Mapping[str, int], session: Session
    ) -> Document:
        row = self._rows.find_one_and_update(
            wanted,
            {**_sets(sets), "$inc": {"version": 1, **counts}},
            _UNSEEN,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if row is None:
            raise Moved
        return row

    # --- access lists ---

    def known_epoch(self, case_id: str) -> int:
        """At least this epoch is stored, as far as this process has seen; -1 if it has not."""
        return self._known.get(case_id, -1)

    def epochs(self, case_ids: Collection[str]) -> dict[str, int]:
        """What is stored now, of those cases that there are."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": sorted(case_ids)}}, {"acl.epoch": True}))
        found = {row["_id"]: int(row["acl"]["epoch"]) for row in rows}
        self._note(found.items())
        return found

    def keep_lists(self, lists: Sequence[AccessList], session: Session | None = None) -> None:
        """Put each in the place of an older one."""
        if not lists:
            return
        updates = [
            UpdateOne({"_id": acl.case_id, **_older_than(acl)}, {"$set": columns_of(acl)}) for acl in lists
        ]
        with in_time():
            self._rows.bulk_write(updates, ordered=False, session=session)
        if session is None:
            self._note((acl.case_id, acl.epoch) for acl in lists)

    def settled(self, case_ids: Collection[str], session: Session) -> dict[str, tuple[Case, tuple[int, int]]]:
        """The cases with the version of the list up to which their tasks were looked at."""
        rows = self._rows.find({"_id": {"$in": sorted(case_ids)}}, session=session)
        return {row["_id"]: (case_of(row), (row["settled"][0], row["settled"][1])) for row in rows}

    def settle(self, case: Case, change: Change | None, session: Session, versions: int = 0) -> None:
        """Note that the tasks of `case` fit its list, with `versions` new versions for those given back."""
        update: Document = {"$set": {"settled": list(case.acl.version)}}
        if change is not None:
            update = _sets({**change.sets, **update["$set"]})
        if versions:
            update["$inc"] = {"version": versions}
        self._rows.update_one({"_id": case.id}, update, session=session)

    def known(self, case_ids: Collection[str]) -> tuple[str, ...]:
        """Those that there are."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": sorted(case_ids)}}, {"_id": True}))
        return tuple(row["_id"] for row in rows)

    def about(self, case_ids: Collection[str]) -> dict[str, About]:
        """What bars hang on, of those that there are."""
        with in_time():
            shown = {"template": True, "marking": True}
            rows = list(self._rows.find({"_id": {"$in": sorted(case_ids)}}, shown))
        return {row["_id"]: About(row["template"], row["marking"]) for row in rows}

    def _note(self, epochs: Iterable[tuple[str, int]]) -> None:
        if len(self._known) > KNOWN_AT_MOST:
            self._known.clear()
        for case_id, epoch in epochs:
            self._known[case_id] = max(epoch, self._known.get(case_id, -1))


def _query(wanted: Wanted, before: str | None) -> Document:
    query: Document
    if wanted.mine == "owned":
        query = {"owner_user": wanted.user_id}
    else:
        query = {"readers": {"$in": list(wanted.keys)}}
        if wanted.mine == "shared":
            query["owner_user"] = {"$ne": wanted.user_id}
    for name, value in (("status", wanted.status), ("template", wanted.template)):
        if value is not None:
            query[name] = value
    if wanted.agency_id is not None:
        query["owner_agency"] = wanted.agency_id
    if wanted.changed_since is not None:
        query["latest"] = {"$gte": wanted.changed_since}
    if before is not None:
        query["_id"] = {"$lt": before}
    return query


def _is_plain(name: str) -> bool:
    """Whether a field says nothing of anybody."""
    return name in _PLAIN or name.startswith("changed.")


def _sets(sets: Mapping[str, Any]) -> Document:
    """Moments only move on: another instance's clock may be ahead of ours."""
    moments = {name: value for name, value in sets.items() if name.startswith("changed.")}
    update: Document = {"$max": {**moments, "latest": clock()}}
    if others := {name: value for name, value in sets.items() if name not in moments}:
        update["$set"] = others
    return update


def _older_than(acl: AccessList) -> Document:
    """A list that has no version, because it is damaged, is older than any."""
    return {
        "$or": [
            *({f"acl.{name}": {"$not": {"$type": "number"}}} for name in ("term", "epoch")),
            {"acl.term": {"$lt": acl.term}},
            {"acl.term": acl.term, "acl.epoch": {"$lt": acl.epoch}},
        ]
    }


def _make_indexes(database: Database[Document]) -> None:
    rows = database["cases"]
    # The filters of a list are judged on the index, before a case is read.
    behind = [
        ("_id", DESCENDING),
        ("status", ASCENDING),
        ("template", ASCENDING),
        ("owner_agency", ASCENDING),
        ("latest", ASCENDING),
    ]
    rows.create_index([("readers", ASCENDING), *behind, ("owner_user", ASCENDING)], name="readers")
    rows.create_index([("owner_user", ASCENDING), *behind], name="owner")
    rows.create_index([("reference", ASCENDING)], name="reference", unique=True)
    rows.create_index([("subjects.id", ASCENDING)], name="subjects")


def _make_whose(database: Database[Document]) -> None:
    database["cases"].create_index([("_id", ASCENDING), ("owner_agency", ASCENDING)], name="whose")


STEPS = (Step("cases_indexes", _make_indexes), Step("cases_whose", _make_whose))
