"""Which faults are tried, in the short form and in the full one, on one node of each on a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.fault import Fault
from tests.faults.kinds.deliveries import delayed, duplicated, reordered, twice_in_any_order
from tests.faults.kinds.failover import (
    FreezeLeader,
    KillLeader,
    KillPrimary,
    PausePrimary,
    PrimaryDiesUnreplicated,
)
from tests.faults.kinds.freezes import Freeze
from tests.faults.kinds.kills import GATEWAY_WORKER, BrokerDiesHoldingEvents, Kill, OneOfTwoDead
from tests.faults.kinds.network import DiskAlarm, HalfOpen
from tests.faults.kinds.poisoning import Poisoning

TIMES = 5
BROKER_FREEZE_SECONDS = 30.0


def short() -> list[Fault]:
    """For CI: each sort of fault once, on one node of each part."""
    processes = ("echo-1", "mirror-1", GATEWAY_WORKER, "gateway-1", "mongo", "rabbit")
    return [
        Kill(*processes, times=len(processes), name="kill -9 each process"),
        Freeze("mongo", hold=6.0),
        twice_in_any_order(3.0),
        Poisoning(),
        Freeze("echo-1", "mirror-1", hold=8.0, name="one of two instances frozen", instances=2, success=0.99),
    ]


def single() -> list[Fault]:
    """Everything on one node of each part, ordered so that the cell is rearranged seldom."""
    processes = ("echo-1", "mirror-1", GATEWAY_WORKER, "gateway-1", "epmd", "mongo", "rabbit")
    return [
        *(Kill(name, times=TIMES) for name in processes),
        Freeze("rabbit", hold=BROKER_FREEZE_SECONDS),
        Freeze("mongo", hold=10.0),
        BrokerDiesHoldingEvents(),
        DiskAlarm(10.0),
        *_deliveries(),
        Poisoning(),
        *_instances(),
        HalfOpen("broker", 12.0),
        HalfOpen("database", 12.0),
    ]


def cluster() -> list[Fault]:
    """Everything on three nodes of each part, and what only they can suffer."""
    return [
        KillPrimary(TIMES),
        PausePrimary(8.0),
        PrimaryDiesUnreplicated(),
        KillLeader(TIMES),
        *(Kill(name, times=TIMES) for name in ("echo-1", "mirror-1", GATEWAY_WORKER, "gateway-1")),
        Kill("rabbit1", "rabbit2", "rabbit3", times=TIMES),
        Kill("mongo1", "mongo2", "mongo3", times=TIMES),
        FreezeLeader(BROKER_FREEZE_SECONDS),
        Freeze("mongo1", hold=10.0),
        DiskAlarm(10.0),
        *_deliveries(),
        Poisoning(),
        *_instances(),
        HalfOpen("broker", 12.0),
    ]


def _deliveries() -> Sequence[Fault]:
    return [duplicated(5.0), delayed(5.0), reordered(5.0)]


def _instances() -> Sequence[Fault]:
    names = ("echo-1", "mirror-1")
    frozen = Freeze(*names, hold=15.0, name="one of two instances frozen", instances=2, success=0.99)
    return [frozen, OneOfTwoDead(15.0)]
