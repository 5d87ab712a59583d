"""notify is killed in the middle of delivering: nothing is lost, and order and numbers stand."""

from __future__ import annotations

import time
from pathlib import Path

from tests.cell import Parts
from tests.integration.calling import instances
from tests.integration.notifying import NOTIFY, QUICK, STAND_IN, Push, receiver, world
from tests.waiting import until

CASES, EACH = 5, 12


def test_kill_9_of_every_instance_loses_nothing(parts: Parts, tmp_path: Path) -> None:
    def slow(push: Push) -> int:
        time.sleep(0.02)
        return 200

    with (
        receiver(slow) as other_end,
        instances(parts, tmp_path, STAND_IN),
        instances(parts, tmp_path, NOTIFY, NOTIFY, **QUICK) as victims,
        world(parts) as here,
    ):
        owner, client = here.user(), here.client()
        subscription = client.subscribe(other_end.url)
        cases = [here.case(owner, client) for _ in range(CASES)]
        told = {case.id: [case.emit().id for _ in range(EACH)] for case in cases}
        until(lambda: len(other_end.pushes) >= 5)
        victims[0].kill()
        until(lambda: len(other_end.pushes) >= 20, seconds=20)
        victims[1].kill()
        assert len(set(other_end.ids)) < CASES * EACH
        with instances(parts, tmp_path, NOTIFY, **QUICK):
            until(lambda: len(set(other_end.ids)) == CASES * EACH, seconds=30)
            until(lambda: {one.state for one in client.deliveries(subscription)} == {"delivered"})
            numbered = {push.id: int(push.event["sequence"]) for push in other_end.pushes}
            assert sorted(numbered.values()) == list(range(1, CASES * EACH + 1))
            for push in other_end.pushes:
                assert int(push.event["sequence"]) == numbered[push.id]
            for case, ids in told.items():
                mine = [push.id for push in other_end.pushes if push.event["data"]["case_id"] == case]
                assert list(dict.fromkeys(mine)) == ids
