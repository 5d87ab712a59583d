"""The harness shows that it can fail: with a safety switched off, the fault it is there for is found out."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.checker import What
from tests.faults.fault import Fault
from tests.faults.kinds.deliveries import duplicated
from tests.faults.kinds.failover import PrimaryDiesUnreplicated
from tests.faults.kinds.freezes import Freeze
from tests.faults.kinds.kills import BrokerDiesHoldingEvents
from tests.faults.stage import Setup
from tests.faults.trial import Outcome


@dataclass(frozen=True, slots=True)
class Proof:
    """A trial that must not pass: it must find at least one violation of these sorts."""

    fault: Fault
    finds: tuple[What, ...]

    @property
    def name(self) -> str:
        return f"{', '.join(self.fault.setup.switched_off)} and {self.fault.name}"

    def found(self, outcome: Outcome) -> int:
        return outcome.count(*self.finds)


def proofs(*, cluster: bool) -> list[Proof]:
    """Those for this kind of cell."""
    if cluster:
        return [Proof(_with(PrimaryDiesUnreplicated(), "no_majority"), ("lost",))]
    return [
        Proof(duplicated(2.0, _without("no_dedupe")), ("doubled",)),
        Proof(_with(Freeze("echo-1", hold=7.0), "no_deadline"), ("late",)),
        Proof(_with(BrokerDiesHoldingEvents(), "no_outbox"), ("lost",)),
        Proof(_with(BrokerDiesHoldingEvents(), "no_confirm"), ("lost",)),
    ]


def _without(switch: str) -> Setup:
    return Setup(switched_off=(switch,))


def _with(fault: Fault, switch: str) -> Fault:
    fault.setup = _without(switch)
    return fault
