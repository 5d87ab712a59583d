"""Faults that the check must find: a service that keeps its records wrongly.

python -m services.chassis.runner tests.checks.disclosure.planted_services:WithoutRecord
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.audit.domain.notes import Signer
from services.audit.service import AuditService
from services.audit.stores.writer import STEPS, LogWriter
from services.cases.service import CasesService
from services.chassis.logkeys import StoredSealed
from services.chassis.recording import Keeper, Recording
from services.contracts.envelope import new_event_id
from services.contracts.records import Record

LATE_SECONDS = 0.5


class _Wrong(Recording):
    """Gives the service a keeper that does something else."""

    def get_dependency(self, worker_ctx: object) -> Any:
        return self.wrong(super().get_dependency(worker_ctx))

    @staticmethod
    def wrong(keeper: Keeper) -> Any:
        raise NotImplementedError


class _Forgetting(_Wrong):
    @staticmethod
    def wrong(keeper: Keeper) -> Any:
        class Forgets:
            def keep(self, record: Any) -> None:
                if record.action != "entry.list":
                    keeper.keep(record)

        return Forgets()


class _Late(_Wrong):
    @staticmethod
    def wrong(keeper: Keeper) -> Any:
        import eventlet

        class Afterwards:
            def keep(self, record: Any) -> None:
                eventlet.spawn_after(LATE_SECONDS, keeper.keep, record)

        return Afterwards()


class _Doubling(_Wrong):
    @staticmethod
    def wrong(keeper: Keeper) -> Any:
        class Twice:
            def keep(self, record: Any) -> None:
                keeper.keep(record)
                keeper.keep(record.model_copy(update={"id": new_event_id()}))

        return Twice()


class WithoutRecord(CasesService):
    """Lists of entries are shown without a record."""

    records = _Forgetting()


class RecordAfterwards(CasesService):
    """The record is kept after the answer has left."""

    records = _Late()


class RecordTwice(CasesService):
    """Every answer has two records."""

    records = _Doubling()


class _Unknowing(LogWriter):
    """Takes what another writer may have in the log already for something new."""

    def append(self, records: Sequence[Record], signer: Signer, *, again: bool) -> None:
        if again:
            records = [record.model_copy(update={"id": new_event_id()}) for record in records]
        super().append(records, signer, again=False)


class KnowsNoOther(AuditService):
    """Of two writers each writes what it was given, whatever the other did."""

    writer = StoredSealed(_Unknowing, STEPS)
