"""A case and the document that it is kept as, each made from the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.cases.domain.case import Case, InCase, Withheld
from services.cases.domain.finding import words_of
from services.cases.domain.subjects_in import row_of as subject_row_of
from services.chassis.mongo import Document
from services.contracts.access import AccessList


def row_of(case: Case) -> Document:
    return {
        "_id": case.id,
        "reference": case.reference,
        "template": case.template,
        "title": case.title,
        "status": case.status,
        "priority": case.priority,
        "marking": case.marking,
        "summary": case.summary,
        "external_ref": None if case.external_ref is None else dict(case.external_ref),
        "version": case.version,
        "created_at": case.created_at,
        "created_by": case.created_by,
        "subjects": [subject_row_of(one) for one in case.subjects],
        "changed": dict(case.changed),
        "latest": case.created_at,
        "entries": case.entries,
        "withheld": [],
        "tasks_open": case.tasks_open,
        "next_due": case.next_due,
        "words": words_of(case.title, case.summary),
        "settled": list(case.acl.version),
        **columns_of(case.acl),
    }


def case_of(row: Mapping[str, Any]) -> Case:
    return Case(
        id=row["_id"],
        reference=row["reference"],
        template=row["template"],
        title=row["title"],
        status=row["status"],
        priority=row["priority"],
        marking=row["marking"],
        summary=row.get("summary"),
        external_ref=row.get("external_ref"),
        acl=AccessList.model_validate(row["acl"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        version=row["version"],
        subjects=tuple(InCase(**one) for one in row.get("subjects", ())),
        changed=row["changed"],
        withheld=tuple(Withheld(tuple(one["agencies"]), one["count"], one["at"]) for one in row["withheld"]),
        entries=row["entries"],
        tasks_open=row["tasks_open"],
        next_due=row["next_due"],
    )


def columns_of(acl: AccessList) -> Document:
    """The list, and what the indexes have of it."""
    return {
        "acl": acl.model_dump(),
        "readers": list(acl.readers()),
        "owner_user": acl.owner.user.id,
        "owner_agency": acl.owner.agency.id,
    }
