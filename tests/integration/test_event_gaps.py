"""Missing events, as one consumer sees them. On the real broker and database."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from services.mirror.store import MirrorStore
from tests.cell import Parts
from tests.integration.running_services import Operator, services
from tests.waiting import until


def test_a_gap_is_skipped_after_the_set_time_recorded_alarmed_and_filled_late_once(
    parts: Parts, operator: Operator, store: MirrorStore, database: Any, tmp_path: Path
) -> None:
    note = uuid.uuid4().hex
    with services(parts, tmp_path, "mirror", settings={"CONCORDAT_GAP_SECONDS": "1"}) as (mirror,):
        for number in (1, 4, 5):
            operator.emit(note, number)
        until(lambda: store.applied(note) == [1, 4, 5], seconds=20)
        gap = database["gaps"].find_one({"aggregate": f"notes/{note}"})
        assert (gap["first"], gap["last"], gap["reason"]) == (2, 3, "missing")
        assert mirror.metric("event_gaps_total{") >= 1
        assert mirror.said("event_gap_skipped")
        late = operator.emit(note, 3)
        until(lambda: store.applied(note) == [1, 4, 5, 3])
        operator.publish(late.to_json())
        operator.emit(note, 6)
        until(lambda: len(store.applied(note)) >= 5)
        assert store.applied(note) == [1, 4, 5, 3, 6]
        assert store.load(note).version == 6


def test_with_dedupe_switched_off_a_doubled_event_takes_effect_twice(
    parts: Parts, operator: Operator, store: MirrorStore, tmp_path: Path
) -> None:
    note = uuid.uuid4().hex
    off = {"CONCORDAT_FAULTS": "no_dedupe", "CONCORDAT_ALLOW_FAULTS": "1"}
    with services(parts, tmp_path, "mirror", settings=off):
        operator.publish(operator.emit(note, 1).to_json())
        until(lambda: store.applied(note) == [1, 1])
