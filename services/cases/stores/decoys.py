"""The case that is judged where there is none, or none that names the caller: how long it took MUST NOT tell
which (V7). What is hidden stays in the database."""

from __future__ import annotations

from functools import cache

import bson

from services.cases.domain.case import Case, InCase, clock
from services.cases.stores.case_rows import case_of, row_of
from services.chassis.mongo import Document
from services.contracts.access import AccessList

NOBODY = "nobody"
"""The id of everyone in it, and of the owning agency where there is no case."""


def decoy_of(case_id: str, agency_id: str = NOBODY) -> Case:
    """Decoded anew each time, as a real one is. `agency_id`: whose the case is, where there is one."""
    options: bson.CodecOptions[Document] = bson.CodecOptions(tz_aware=True)
    row = {**bson.decode(_decoy_as_kept(), codec_options=options), "_id": case_id}
    row["acl"]["owner"]["agency"]["id"] = agency_id
    return case_of(row)


@cache
def _decoy_as_kept() -> bytes:
    return bson.encode(_decoy())


def _decoy() -> Document:
    """Of ordinary size: two shares, two subjects, a summary."""
    nobody = {"id": "nobody", "name": "nobody"}
    share = {"agency_id": "nobody", "user_ids": ["nobody"], "team_ids": ["nobody"], "level": "read"}
    acl = AccessList.model_validate(
        {
            "case_id": "nobody",
            "term": 1 << 40,  # nobody's list is newer
            "epoch": 1 << 40,
            "owner": {"user": nobody, "agency": nobody, "team": nobody},
            "shares": [
                {"id": name, **share, "sections": ["summary", "subjects", "timeline"], "expires_at": clock()}
                for name in ("nobody-1", "nobody-2")
            ],
        }
    )
    subjects = tuple(InCase("nobody", "nobody", "person", "victim") for _ in range(2))
    return row_of(
        Case(
            id="nobody",
            reference="C-2222-2222",
            template="iom",
            title="nobody",
            status="open",
            priority="low",
            marking="official",
            acl=acl,
            created_at=clock(),
            created_by="nobody",
            summary="nobody " * 20,
            subjects=subjects,
            changed={"case": clock(), "timeline": clock(), "tasks": clock()},
        )
    )
