"""Faults that the check must find: services that ask too early, or believe what is over.

python -m services.chassis.runner tests.checks.revocation.planted_services:CachedAndApart
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from services.cases.domain.case import Case
from services.cases.domain.recording import Act
from services.cases.handlers.casework import Opened
from services.cases.service import CasesService
from services.cases.stores.case_rows import case_of
from services.cases.stores.cases import STEPS as CASES_STEPS
from services.cases.stores.cases import CaseStore
from services.chassis import outbox
from services.chassis.mongo import Document, in_time
from services.chassis.stored import Stored
from services.contracts.access import Decision
from services.contracts.caller import Caller
from services.notify.delivering import courier
from services.notify.delivering.office import Office
from services.notify.delivering.push import Push
from services.notify.service import NotifyService
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.steps import STEPS as NOTIFY_STEPS
from services.notify.stores.subscriptions import SubscriptionStore
from services.sharing.service import SharingService
from services.sharing.stores.authority import AuthorityStore, Present
from services.sharing.stores.standing import EMPTY, ID
from services.sharing.stores.steps import STEPS as SHARING_STEPS

Found = TypeVar("Found")

CACHED_SECONDS = 1.0
GAP_SECONDS = 0.4
LATE_SECONDS = 2.0

_decisions: dict[tuple[str, str], tuple[float, Decision]] = {}


class CachedAndApart(CasesService):
    """What one may do with a case is remembered for a second where cases are shown; a timeline's list is read
    before its content, and not again after it."""

    def decide(self, case: Case, caller: Caller, act: Act) -> Decision:
        if act.action != "case.read":
            return super().decide(case, caller, act)
        key, now = (caller.id, case.id), time.monotonic()
        if key not in _decisions or _decisions[key][0] < now:
            _decisions[key] = now + CACHED_SECONDS, super().decide(case, caller, act)
        return _decisions[key][1]

    def consistently(
        self, opened: Opened, caller: Caller, act: Act, read: Callable[[Opened], Found]
    ) -> tuple[Opened, Found]:
        time.sleep(GAP_SECONDS)
        return opened, read(opened)


class _LatePush(Push):
    def _authorised(self) -> bytes:
        body = super()._authorised()
        time.sleep(LATE_SECONDS)
        return body


def _late_office(database: Database[Document]) -> Office:
    courier.Push = _LatePush  # type: ignore[misc]
    return Office(SubscriptionStore(database), DeliveryStore(database))


class FiltersEarly(NotifyService):
    """Whether a push is allowed is asked two seconds before it is sent."""

    office: Office = Stored(_late_office, NOTIFY_STEPS)


class _Believed:
    """The database as a process sees it that has not heard of an election: at the member that was its primary
    when it looked, whatever that member is by now. It looks again when the file `PLANTED` has other words.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._usual, self._looked = database, "never"

    def __getitem__(self, name: str) -> Collection[Document]:
        told = Path(os.environ["PLANTED"]).read_text()
        if told != self._looked and (address := self._usual.client.primary) is not None:
            self._direct, self._looked = self._at(*address), told
        return self._direct[name]

    def _at(self, host: str, port: int) -> Database[Document]:
        given = urlsplit(Path(os.environ["MONGO_URL_FILE"]).read_text().strip())
        source = parse_qs(given.query).get("authSource", [given.path.strip("/") or "admin"])[0]
        login = given.netloc.rpartition("@")[0]
        client: MongoClient[Document] = MongoClient(
            f"mongodb://{login}@{host}:{port}/?authSource={source}&directConnection=true",
            readConcernLevel="majority",
            timeoutMS=5000,
            connectTimeoutMS=5000,
            heartbeatFrequencyMS=60_000,
            tz_aware=True,
            uuidRepresentation="standard",
        )
        return client[self._usual.name]


def _planted() -> bool:
    """Only some instances have not heard."""
    return bool(os.environ.get("PLANTED"))


class _BelievingAuthority(AuthorityStore):
    """Its barrier is a majority read, and so none."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._believed = _Believed(database)

    def _read(self) -> Present:
        if not _planted():
            return super()._read()
        with in_time():
            row = self._believed["standing"].find_one({"_id": ID}) or EMPTY
            fences = list(self._believed["fences"].find({}, {"epoch": True, "agencies": True}))
        return Present(row, fences, self)


class _BelievingCases(CaseStore):
    """A holder whose copy is old: what the fences are for. No fault by itself."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._believed = _Believed(database)

    def find(self, case_id: str, keys: Collection[str] | None = None) -> Case | None:
        if not _planted():
            return super().find(case_id, keys)
        with in_time():
            row = self._believed["cases"].find_one({"_id": case_id})
        return None if row is None else case_of(row)


class BelievesSharing(SharingService):
    """Reads with majority, where it has to be linearizable."""

    authority: AuthorityStore = Stored(_BelievingAuthority, SHARING_STEPS)


class BelievesCases(CasesService):
    cases: CaseStore = Stored(_BelievingCases, (*outbox.STEPS, *CASES_STEPS))
