"""Who may see what of the log.

Everyone own acts, and those of a client that one is accountable for; a supervisor those of the people who are
in its teams now. An agency's DPO what its people did and
what was done with its data. The partnership's DPO all. The owner of a case what concerns that case. An entry
may be about more than its reader may know: then only the part that is the reader's is shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from services.audit.domain.lookups import AnyOf, concerned
from services.contracts.caller import Caller
from services.contracts.records import Object, Record


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader may see."""

    reader: str
    everything: bool = False
    agency: str | None = None
    cases: frozenset[str] = field(default_factory=frozenset)
    team: frozenset[str] = field(default_factory=frozenset)
    """Whom the reader supervises."""

    @property
    def words(self) -> AnyOf:
        """An entry has one of these if it may be seen; none: all may."""
        if self.everything:
            return ()
        if self.cases:
            return tuple(f"c:{case}" for case in sorted(self.cases))
        if self.agency is not None:
            return (f"d:{self.agency}",)
        return (f"p:{self.reader}", f"q:{self.reader}", *(f"p:{one}" for one in sorted(self.team)))

    def sees(self, record: Record) -> bool:
        return (
            self._wholly(record)
            or (self.agency is not None and self.agency in concerned(record))
            or any(item.type == "case" and item.id in self.cases for item in record.objects)
        )

    def sees_whole(self, record: Record) -> bool:
        """Nothing in it has to be kept from the reader.

        A refusal has whose the case is, if there is one. Who was refused MUST NOT learn it from their own
        entry (V7): it is whole for those alone who may know of the case by right.
        """
        if record.outcome == "refused" and not self.everything:
            return bool(record.objects) and all(self._by_right(item) for item in record.objects)
        return self.sees(record) and len(self.part(record)) == len(record.objects)

    def part(self, record: Record) -> tuple[Object, ...]:
        """The objects of an entry that the reader may know of."""
        if self._wholly(record):
            return record.objects
        cases = {item.id for item in record.objects if item.type == "case"}
        if cases and cases <= self.cases:
            return record.objects
        return tuple(item for item in record.objects if self._by_right(item))

    def _by_right(self, item: Object) -> bool:
        """By owning the case, or as the officer of whose data it is; not by having acted."""
        return (item.type == "case" and item.id in self.cases) or (
            self.agency is not None and item.agency_id == self.agency
        )

    def _wholly(self, record: Record) -> bool:
        actor = record.actor
        return (
            self.everything
            or self.reader in (actor.id, actor.accountable_id)
            or actor.id in self.team
            or (self.agency is not None and actor.agency_id == self.agency)
        )


def sight_of(caller: Caller, owned: Collection[str] = (), team: Collection[str] = ()) -> Sight:
    """`owned`: the cases in question of which the caller is the owner. `team`: who is in its teams, if it
    supervises them (R30)."""
    return Sight(
        caller.id,
        everything="partnership_dpo" in caller.roles,
        agency=caller.agency_id if "agency_dpo" in caller.roles else None,
        cases=frozenset(owned),
        team=frozenset(team),
    )


def cases_of(record: Record) -> list[str]:
    """The cases that an entry is about, each once."""
    return list(dict.fromkeys(item.id for item in record.objects if item.type == "case"))
