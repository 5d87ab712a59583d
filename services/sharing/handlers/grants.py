"""What the handlers of ownership and shares have in common: judging a case, telling the log of a refusal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands
from services.chassis.mongo import Session
from services.chassis.recording import Keeper, Recording
from services.chassis.stored import Stored
from services.contracts.access import decide, keys_of
from services.contracts.bars import About, hangs_on_case, require_unbarred
from services.contracts.caller import Caller
from services.contracts.cases.about import AboutCases, GetAbout
from services.contracts.errors import NotVisible, Refused
from services.contracts.permissions import PERMITS
from services.contracts.records import How, Record
from services.contracts.vocabulary import Role
from services.sharing.domain.entries import case_object, entry
from services.sharing.domain.ownership import NOBODY, Ownership
from services.sharing.stores import fences, ownerships
from services.sharing.stores.directory import DirectoryStore
from services.sharing.stores.fences import FenceStore
from services.sharing.stores.ownerships import OwnershipStore
from services.sharing.stores.protocols import ProtocolStore
from services.sharing.stores.steps import STEPS

UNBARRED = frozenset({"break_glass"})
"""Asked by somebody who may not know of the case yet, to whom no reason can be told. What it opens stays
behind the bars of who opens it: `cases` looks at them when it is read."""


class Looked:
    """One act on one case: what was found, for the entry of a refusal."""

    def __init__(self, caller: Caller, case_id: str) -> None:
        self.caller, self.case_id = caller, case_id
        self.agency_id: str | None = None

    def at(self, found: Ownership) -> Ownership:
        """Note whose case it is: a decoy that hides none is told to the log as what it is, nobody's."""
        owner = found.owner.agency.id
        self.agency_id = None if owner == NOBODY else owner
        return found

    @property
    def there(self) -> bool:
        """Whether there is such a case. No caller may be told so by this alone."""
        return self.agency_id is not None


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
        return self.about_all((case_id,)).get(case_id)

    def about_all(self, case_ids: Collection[str]) -> dict[str, About]:
        """The same of those of these cases that `cases` knows of."""
        asked = GetAbout(case_ids=tuple(case_ids))
        told: AboutCases = self.cases.call("about_cases", asked, reply=AboutCases)
        return told.by_case()

    def unbarred(self, looked: Looked, *, working: bool = True) -> None:
        """Raises what stands against the caller by itself in this case; NotVisible where `cases` knows of
        none.

        MUST come after it is decided that the caller may know of the case, and after what that hangs on was
        read: no list shown is newer than the marking that it is judged by. `working` False: of who looks
        after cases and works in none. `cases` is asked only where something may stand against the caller.
        """
        if hangs_on_case(looked.caller.barred):
            self.require_open(looked.caller, self.about(looked.case_id), working=working)

    def require_open(self, caller: Caller, about: About | None, *, working: bool = True) -> None:
        """The same where use and marking were asked for already."""
        if not hangs_on_case(caller.barred):
            return
        if about is None:
            raise NotVisible
        require_unbarred(caller.barred, about, working=working)

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

    def seen(self, looked: Looked, action: str, how: How) -> Record:
        """Keep the record of what is about to be shown of the case."""
        record = entry(
            looked.caller,
            action,
            outcome="shown",
            operation="consultation",
            how=how,
            objects=(case_object(looked.case_id, looked.agency_id),),
        )
        self.records.keep(record)
        return record

    def judged(self, looked: Looked, method: str, session: Session | None = None) -> Ownership:
        """The ownership as it is now, if the caller may. Raises NotVisible, RoleRequired, NotOwner,
        LevelTooLow, or what stands against the caller by itself."""
        found = self.found(looked, session)
        decide(looked.caller, found.acl, PERMITS["sharing"][method]).require()
        if method not in UNBARRED:
            self.unbarred(looked)
        return found

    def found(self, looked: Looked, session: Session | None = None) -> Ownership:
        """The ownership, or a decoy if it does not name the caller: not judged yet."""
        return looked.at(self.ownerships.find_for(keys_of(looked.caller), looked.case_id, session))

    def found_for(
        self, looked: Looked, answering: Collection[Role], session: Session | None = None
    ) -> Ownership:
        """Whole for whoever has one of these roles, as found for everybody else."""
        answers = not frozenset(answering).isdisjoint(looked.caller.roles)
        return self.whole(looked, session) if answers else self.found(looked, session)

    def whole(self, looked: Looked, session: Session | None = None) -> Ownership:
        """The ownership, whomever it names, or a decoy: for those who have a part in cases that do not name
        them. Not judged yet; its size shows in the time."""
        return looked.at(self.ownerships.find(looked.case_id, session) or self.ownerships.decoy())
