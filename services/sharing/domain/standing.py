"""How the agencies and protocols stand on a day: what each request is judged by, read from one document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.errors import AgencySuspended, ProtocolExpired, ProtocolNotActive, Refused
from services.contracts.sharing.protocols import ProtocolState
from services.contracts.vocabulary import AgencyState, AgencyType
from services.sharing.domain.places import PlaceRule
from services.sharing.domain.procedures import Published
from services.sharing.domain.protocols import state_on


@dataclass(frozen=True, slots=True)
class AgencyStanding:
    """`sessions_since`: when it was let in again after it had been shut out. What began before is over."""

    name: str
    type: AgencyType
    state: AgencyState
    places: tuple[PlaceRule, ...] = ()
    sessions_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProtocolStanding:
    state: ProtocolState
    parties: tuple[str, ...]
    starts_on: date
    ends_on: date

    def shown(self, today: date) -> ProtocolState:
        return state_on(self.state, self.ends_on, today)

    def in_force(self, today: date) -> bool:
        return self.shown(today) == "active" and self.starts_on <= today


@dataclass(frozen=True, slots=True)
class Standing:
    """`version` grows with each change; `term` is the authority's, for access lists."""

    version: int
    term: int
    agencies: dict[str, AgencyStanding]
    protocols: dict[str, ProtocolStanding]
    procedures: tuple[Published, ...]

    def on(self, today: date) -> StandingOn:
        """Everything that hangs on the day, reckoned once."""
        refusals: dict[str, type[Refused] | None] = {
            one: self._refusal(one, agency, today) for one, agency in self.agencies.items()
        }
        return StandingOn(
            standing=self,
            today=today,
            refusals=refusals,
            inactive_agencies=tuple(one for one, refusal in refusals.items() if refusal is not None),
            inactive_protocols=tuple(
                one for one, protocol in self.protocols.items() if not protocol.in_force(today)
            ),
        )

    def _refusal(self, agency_id: str, agency: AgencyStanding, today: date) -> type[Refused] | None:
        """Why nobody of the agency may do anything; None: it may (`domain.md`, log-in by agency)."""
        if agency.state in ("suspended", "withdrawn"):
            return AgencySuspended
        if agency.type == "operator":
            return None if agency.state == "active" else ProtocolNotActive
        party_to = [one for one in self.protocols.values() if agency_id in one.parties]
        if agency.state == "active" and any(one.in_force(today) for one in party_to):
            return None
        begun = [one for one in party_to if one.state in ("active", "expired")]
        if agency.state == "expired" or (begun and all(one.shown(today) == "expired" for one in begun)):
            return ProtocolExpired
        return ProtocolNotActive


@dataclass(frozen=True, slots=True)
class StandingOn:
    """A standing on one day. `inactive_*` are what a `Caller` carries."""

    standing: Standing
    today: date
    refusals: dict[str, type[Refused] | None]
    inactive_agencies: tuple[str, ...]
    inactive_protocols: tuple[str, ...]

    def refusal(self, agency_id: str) -> Refused | None:
        """What somebody of this agency is told; None: nothing stands against it."""
        found = self.refusals.get(agency_id, ProtocolNotActive)
        return found() if found is not None else None

    def let_in(self, before: StandingOn) -> tuple[str, ...]:
        """Agencies against which something stood `before`, and nothing does now."""
        return tuple(
            one
            for one, refusal in self.refusals.items()
            if refusal is None and before.refusals.get(one) is not None
        )

    def ended(self, agency_id: str, began_at: datetime) -> bool:
        """Whether a session that began then ended when its agency was shut out."""
        agency = self.standing.agencies.get(agency_id)
        return agency is not None and agency.sessions_since is not None and began_at < agency.sessions_since

    def inactive_protocols_of(self, agency_id: str) -> tuple[str, ...]:
        """For a caller of this agency: those not in force, and those that it is not party to (any more)."""
        return tuple(
            one
            for one, protocol in self.standing.protocols.items()
            if one in self.inactive_protocols or agency_id not in protocol.parties
        )

    def places_of(self, agency_id: str) -> tuple[PlaceRule, ...]:
        agency = self.standing.agencies.get(agency_id)
        return () if agency is None else agency.places

    def current_procedure(self, now: datetime) -> Published | None:
        """The latest in effect at `now`."""
        return next((one for one in reversed(self.standing.procedures) if one.effective_from <= now), None)
