"""What becomes of registrations: those of cases that were opened are confirmed, the others swept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from services.contracts.authority import CasesKnown, GetCasesKnown
from services.sharing.handlers.ownership import UNCONFIRMED, OwnershipHandlers


class Store:
    """Three registrations, long unconfirmed."""

    def __init__(self) -> None:
        self.waiting, self.confirmed, self.discarded = ["k-1", "k-2", "k-3"], list[str](), list[str]()

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        assert datetime.now(UTC) - before >= UNCONFIRMED
        return self.waiting[:limit]

    def confirm(self, case_ids: Iterable[str]) -> None:
        self.confirmed += case_ids

    def discard(self, case_ids: Iterable[str], before: datetime) -> int:
        self.discarded += case_ids
        return len(self.discarded)


class Fences:
    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, case_ids: Iterable[str]) -> None:
        self.forgotten += case_ids


class Cases:
    """Knows k-2 alone."""

    def call(self, method: str, request: GetCasesKnown, **_: Any) -> CasesKnown:
        assert method == "cases_known"
        return CasesKnown(case_ids=tuple(one for one in request.case_ids if one == "k-2"))


def swept(store: Store) -> Fences:
    handlers: Any = OwnershipHandlers()
    handlers.ownerships, handlers.fences, handlers.cases = store, Fences(), Cases()
    handlers.sweep_registrations()
    fences: Fences = handlers.fences
    return fences


def test_a_registration_that_came_to_nothing_is_forgotten_with_its_fence() -> None:
    store = Store()
    fences = swept(store)
    assert (store.confirmed, store.discarded, fences.forgotten) == (["k-2"], ["k-1", "k-3"], ["k-1", "k-3"])


def test_with_nothing_waiting_nobody_is_asked() -> None:
    store = Store()
    store.waiting = []
    handlers: Any = OwnershipHandlers()
    handlers.ownerships = store
    handlers.sweep_registrations()
    assert store.discarded == []
