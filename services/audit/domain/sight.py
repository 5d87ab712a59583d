"""Who may see what of the log.

Everyone own acts, and those of a client that one is accountable for; a supervisor those of the people who are
in its teams now. An agency's DPO what its people did and
what was done with its data. The partnership's DPO all. The owner of a case what concerns that case. An entry
may be about more than its reader may know: then only the part that is the reader's is shown.

To whom a case does not exist, by a conflict of interest (`excluded`), the log does not name it, whoever that
is. What others did with that case alone is not there. What the reader did is, without what it was done to;
only what the reader was refused stays as it was asked: that looks the same whether or not there is such a
case (V7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

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
    excluded: frozenset[str] = field(default_factory=frozenset)
    """Cases that do not exist for the reader."""

    def without(self, excluded: Collection[str]) -> Sight:
        """The same where these do not exist either."""
        return replace(self, excluded=self.excluded | frozenset(excluded)) if excluded else self

    @property
    def words(self) -> AnyOf:
        """An entry has one of these if it may be seen; none: all may."""
        if self.everything:
            return ()
        if self.cases:
            return tuple(f"c:{case}" for case in sorted(self.cases))
        if self.agency is not None:
            return (f"d:{self.agency}",)
        return (*self.own_words, *(f"p:{one}" for one in sorted(self.team)))

    @property
    def own_words(self) -> AnyOf:
        """What an entry has of which the reader is the actor, or answers for it."""
        return (f"p:{self.reader}", f"q:{self.reader}")

    def sees(self, record: Record) -> bool:
        if self.withholds(record):
            return self._own(record) or bool(self.part(record))
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
        if record.outcome == "refused" and self._own(record):
            # A case that is not there, and one that must not be, are the same.
            return not any(
                item.type == "case" and (item.agency_id is None or item.id in self.excluded)
                for item in record.objects
            )
        return self.sees(record) and len(self.part(record)) == len(record.objects)

    def withholds(self, record: Record) -> bool:
        """It names a case that does not exist for the reader, and not as what the reader was refused."""
        if record.outcome == "refused" and self._own(record):
            return False
        return any(item.id in self.excluded for item in record.objects)

    def part(self, record: Record) -> tuple[Object, ...]:
        """The objects of an entry that the reader may know of."""
        shown = self._shown(record)
        if not self.withholds(record):
            return shown
        # Whatever else there is, tasks, entries, subjects, may be in that case: nothing says in which it is.
        return tuple(item for item in shown if item.type == "case" and item.id not in self.excluded)

    def known(self, record: Record) -> Record:
        """The entry as far as the reader may know of it."""
        if self.withholds(record):
            return self.left(record)
        part = self.part(record)
        return record if part == record.objects else record.model_copy(update={"objects": part})

    def left(self, record: Record) -> Record:
        """The entry without what is withheld: use and reason may tell of that as well."""
        if not self.withholds(record):
            return record
        return record.model_copy(update={"objects": self.part(record), "use": None, "reason": None})

    def _shown(self, record: Record) -> tuple[Object, ...]:
        if self._wholly(record):
            return record.objects
        cases = {item.id for item in record.objects if item.type == "case"}
        if cases and cases <= self.cases:
            return record.objects
        return tuple(item for item in record.objects if self._by_right(item))

    def _by_right(self, item: Object) -> bool:
        """By owning the case, or as the officer of whose data it is; not by having acted."""
        if item.id in self.excluded:
            return False
        return (item.type == "case" and item.id in self.cases) or (
            self.agency is not None and item.agency_id == self.agency
        )

    def _own(self, record: Record) -> bool:
        return self.reader in (record.actor.id, record.actor.accountable_id)

    def _wholly(self, record: Record) -> bool:
        actor = record.actor
        return (
            self.everything
            or self._own(record)
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


def named_by(records: Iterable[Record]) -> list[str]:
    """The cases that these entries name, each once: as what they are about, or as whose log was read. Among
    them are other ids, as a part of the log may have any."""
    found = (item.id for one in records for item in one.objects if item.type in ("case", "log"))
    return list(dict.fromkeys(found))


def statements_in(records: Iterable[Record]) -> list[str]:
    """The statements that these entries name, each once. What they say may be of a case that is kept from the
    reader, and the entry beside them says of whom."""
    found = (item.id for one in records for item in one.objects if item.type == "statement")
    return list(dict.fromkeys(found))
