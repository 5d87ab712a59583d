"""What the handlers of ownership and shares have in common: judging a case, telling the log of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands
from services.chassis.recording import Keeper, Recording
from services.chassis.stored import Stored
from services.contracts.access import AccessList, Decision, decide
from services.contracts.bars import About
from services.contracts.caller import Caller
from services.contracts.cases.about import AboutCase, AboutCases, GetAbout
from services.contracts.errors import NotVisible, Refused
from services.contracts.permissions import Permit
from services.sharing.domain.entries import case_object, entry
from services.sharing.domain.ownership import Ownership, decoy
from services.sharing.stores import fences, ownerships
from services.sharing.stores.directory import DirectoryStore
from services.sharing.stores.fences import FenceStore
from services.sharing.stores.ownerships import OwnershipStore
from services.sharing.stores.protocols import ProtocolStore
from services.sharing.stores.steps import STEPS

_DECOY = decoy()


class Looked:
    """One act on one case: what was found, for the entry of a refusal."""

    def __init__(self, caller: Caller, case_id: str) -> None:
        self.caller, self.case_id = caller, case_id
        self.agency_id: str | None = None

    def list_of(self, ownership: Ownership | None) -> AccessList:
        """By the same path for a case that there is not."""
        self.agency_id = None if ownership is None else ownership.owner.agency.id
        return (ownership or _DECOY).acl

    def decide(self, ownership: Ownership | None, permit: Permit) -> Decision:
        return decide(self.caller, self.list_of(ownership), permit)

    def judge(self, ownership: Ownership | None, permit: Permit) -> Ownership:
        """The ownership, if the caller may. Raises NotVisible, RoleRequired, NotOwner, LevelTooLow."""
        self.decide(ownership, permit).require()
        assert ownership is not None
        return ownership


class Grants:
    """What they work with."""

    ownerships: OwnershipStore = Stored(OwnershipStore, ownerships.STEPS)
    fences: FenceStore = Stored(FenceStore, fences.STEPS)
    directory: DirectoryStore = Stored(DirectoryStore, STEPS)
    protocols: ProtocolStore = Stored(ProtocolStore, STEPS)
    commands: CommandLog = Commands()
    records: Keeper = Recording()
    cases: Peer = Remote("cases")

    def about(self, case_id: str) -> About | None:
        """What bars hang on, which `cases` alone knows. None: it does not know of the case (yet)."""
        told: AboutCases = self.cases.call("about_cases", GetAbout(case_ids=(case_id,)), reply=AboutCases)
        found: AboutCase | None = next(iter(told.items), None)
        return None if found is None else About(found.use, found.marking)

    @contextmanager
    def looking(self, caller: Caller, action: str, case_id: str) -> Iterator[Looked]:
        """What is refused inside, about this case, is in the log before it is told."""
        looked = Looked(caller, case_id)
        try:
            yield looked
        except (NotVisible, Refused) as problem:
            objects = (case_object(case_id, looked.agency_id),)
            self.records.keep(entry(caller, action, outcome="refused", code=problem.code, objects=objects))
            raise
