"""Faults that the check must find: services that ask too early, or believe what is over.

python -m services.chassis.runner tests.checks.revocation.planted_services:CachedAndApart
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import ClassVar, TypeVar
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
from services.contracts.access import AccessList, Decision
from services.contracts.authority import DeviceProof, Question
from services.contracts.caller import Caller
from services.notify.delivering import courier
from services.notify.delivering.office import Office
from services.notify.delivering.push import Push
from services.notify.service import NotifyService
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.steps import STEPS as NOTIFY_STEPS
from services.notify.stores.subscriptions import SubscriptionStore
from services.sharing.domain import knowing
from services.sharing.domain.devices import Proved
from services.sharing.domain.known import Known
from services.sharing.domain.people import User
from services.sharing.domain.sessions import Session
from services.sharing.domain.standing import StandingOn
from services.sharing.handlers import authority
from services.sharing.service import SharingService
from services.sharing.stores.authority import AuthorityStore, Present
from services.sharing.stores.principals import PrincipalStore
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


class _RememberedPrincipals(PrincipalStore):
    """Who has a session is remembered for a second."""

    _seen: ClassVar[dict[str, tuple[float, tuple[User, Session, Proved | None] | None]]] = {}

    def user_with_session(
        self, user_id: str, session_hash: str, device: DeviceProof | None = None
    ) -> tuple[User, Session, Proved | None] | None:
        now = time.monotonic()
        if session_hash not in self._seen or self._seen[session_hash][0] < now:
            found = super().user_with_session(user_id, session_hash, device)
            self._seen[session_hash] = now + CACHED_SECONDS, found
        return self._seen[session_hash][1]


class _RememberedPresent(Present):
    """How agencies, protocols and procedures stood a second ago; the fences of now."""

    _seen: ClassVar[dict[date, tuple[float, StandingOn]]] = {}

    def standing(self, today: date) -> StandingOn:
        now = time.monotonic()
        if today not in self._seen or self._seen[today][0] < now:
            self._seen[today] = now + CACHED_SECONDS, super().standing(today)
        return self._seen[today][1]


class _RememberingAuthority(AuthorityStore):
    def _read(self) -> Present:
        read = super()._read()
        return _RememberedPresent(read._row, read._rows, self)


_lists: dict[str, dict[tuple[int, int], tuple[float, AccessList]]] = {}


def _may_know(question: Question, known: Known, caller: Caller, acl: AccessList) -> bool:
    """Whether one may know of the case at all is asked of the list of now; of which section, of each list
    that was seen within a second."""
    now, seen = time.monotonic(), _lists.setdefault(acl.case_id, {})
    seen[acl.version] = now, acl
    for version in [one for one, (at, _) in seen.items() if at < now - CACHED_SECONDS]:
        del seen[version]
    if not knowing.may_know(question.model_copy(update={"section": None}), known, caller, acl):
        return False
    return any(knowing.may_know(question, known, caller, one) for _, one in seen.values())


def _remembering(database: Database[Document]) -> AuthorityStore:
    authority.may_know = _may_know  # type: ignore[attr-defined]
    return _RememberingAuthority(database)


class Remembers(SharingService):
    """Who somebody is, how agencies stand, and which sections are shared, as they were a second ago."""

    accounts: PrincipalStore = Stored(_RememberedPrincipals, SHARING_STEPS)
    authority: AuthorityStore = Stored(_remembering, SHARING_STEPS)


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
