"""The access rule: who may do what with a case. Pure; every channel of every service asks it.

`shared/domain.md` section 3 is the source: R34 (both keys), R36 (revoke), R39 (no content for
administrators), R56 (teams are walls). `sharing` keeps the list of a case and is its authority; holders keep
a copy inside the case document and judge by it.

    decide(caller, case.acl, PERMITS["cases"]["get_case"], about=case.about) -> Decision, whose require()
    raises NotVisible, RoleRequired, NotOwner, LevelTooLow, or what a bar says (`bars`)

A caller who may not know of the case is told NotVisible whatever else failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .bars import About, bar_on
from .caller import Caller
from .errors import ConcordatError, LevelTooLow, NotOwner, NotVisible, RoleRequired
from .messages import Moment
from .paging import Ref
from .permissions.permit import Permit
from .vocabulary import LEVELS, SECTIONS, Section, ShareLevel, Side

Via = Literal["owner", "team", "share", "break_glass"]
ShareKind = Literal["share", "team", "break_glass"]
NamingKind = ShareKind | Literal["offer"]
_RANK = {level: rank for rank, level in enumerate((*LEVELS, "own"))}
_PREFERRED: dict[NamingKind, int] = {"offer": -1, "break_glass": 0, "share": 1, "team": 2}
"""Which way in is named where two give the same level: a broken glass only where nothing else does."""
NEVER_PERPETRATOR: frozenset[Section] = frozenset({"victim", "safe_contact"})
"""Sections that nobody on the perpetrator's side ever sees."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Owner(_Frozen):
    """The one owner of a case (R33), with the names as they were at this epoch."""

    user: Ref
    agency: Ref
    team: Ref | None = None


class Share(_Frozen):
    """One grant: an agency AND people, teams or clients in it (R34), in force until `expires_at`.

    The owner's own team has one too (`kind` team): it rests on no protocol and runs until it is revoked. A
    broken glass is one as well (`kind` break_glass): of one person, for a short time, on no protocol. So is
    what lets somebody know of a case that is offered to them (`kind` offer): no share stands behind it.
    Shares that were revoked are not in the list.
    """

    id: str
    kind: NamingKind = "share"
    agency_id: str
    user_ids: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    level: ShareLevel
    sections: tuple[Section, ...]
    side: Side | None = None
    protocol_id: str | None = None
    purpose: str | None = None
    expires_at: Moment | None = None


class AccessList(_Frozen):
    """Who may see one case, as `sharing` had it at (`term`, `epoch`): a higher pair replaces a lower one.

    `excluded` are users with a conflict of interest: whatever names them, to them the case does not exist.
    """

    case_id: str
    term: int
    epoch: int
    owner: Owner
    shares: tuple[Share, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def version(self) -> tuple[int, int]:
        """What two copies are compared by."""
        return self.term, self.epoch

    def excludes(self, who: str, accountable_id: str | None = None) -> bool:
        """Whoever it is, its owner and administrators included; and the system that such a person answers
        for."""
        return who in self.excluded or accountable_id in self.excluded

    def readers(self) -> tuple[str, ...]:
        """Everyone who is named, as index keys: `u:<id>`, `t:<id>`, `c:<id>`. Dates are not looked at."""
        found = {f"u:{self.owner.user.id}"}
        for share in self.shares:
            found.update(f"u:{one}" for one in share.user_ids)
            found.update(f"t:{one}" for one in share.team_ids)
            found.update(f"c:{one}" for one in share.client_ids)
        return tuple(sorted(found))


def keys_of(caller: Caller) -> tuple[str, ...]:
    """The index keys under which a caller may be named."""
    if caller.kind == "client":
        return (f"c:{caller.id}",)
    return (f"u:{caller.id}", *(f"t:{team}" for team in caller.team_ids))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands to a case that it may know of: the best of everything that names it.

    `sections` are those that may be read: none below level read. `levels` has the level per section.
    """

    via: Via
    level: ShareLevel | Literal["own"]
    levels: tuple[tuple[Section, ShareLevel | Literal["own"]], ...]
    until: datetime | None
    share_id: str | None

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(section for section, level in self.levels if _RANK[level] >= _RANK["read"])

    @property
    def public_level(self) -> ShareLevel:
        """As the API names it: an owner's level is manage."""
        return "manage" if self.level == "own" else self.level

    def reaches(self, least: ShareLevel | Literal["own"], section: Section | None = None) -> bool:
        """Whether this is enough for `least`, in `section` if one is named."""
        level = self.level if section is None else dict(self.levels).get(section)
        return level is not None and _RANK[level] >= _RANK[least]

    def behind(self) -> Standing:
        """The same where a bar stands before the case: it may be known of, and nothing of it be read."""
        return replace(self, level="know", levels=())


@dataclass(frozen=True, slots=True)
class Decision:
    """What a caller may do. `refusal` is what it is told if it may not; `standing` None: it may not know."""

    standing: Standing | None
    refusal: ConcordatError | None

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    def require(self) -> Standing:
        """The standing, if allowed; else raises the refusal."""
        if self.refusal is not None:
            raise self.refusal
        assert self.standing is not None
        return self.standing


def decide(
    caller: Caller,
    acl: AccessList,
    permit: Permit,
    *,
    section: Section | None = None,
    about: About | None = None,
) -> Decision:
    """Judge one act. Every step is evaluated; "not found" comes before any reason.

    `about` is known to the holder of the case alone; None: no bar is looked at.
    """
    full = standing_of(caller, acl)
    if full is None:
        return Decision(None, NotVisible())
    bar = bar_on(caller.barred, about) if about is not None and caller.barred else None
    standing = full if bar is None else full.behind()
    if not has_role(caller, permit):
        return Decision(standing, RoleRequired())
    least = permit.level or "know"
    if not full.reaches(least, section):
        return Decision(standing, NotOwner() if least == "own" else LevelTooLow())
    return Decision(standing, None if bar is None else bar.refusal())


def has_role(caller: Caller, permit: Permit) -> bool:
    """Whether the caller's roles, or a client's scopes, include what the method asks for."""
    if caller.kind == "client":
        return not permit.scopes.isdisjoint(caller.scopes)
    return permit.roles is None or not permit.roles.isdisjoint(caller.roles)


def standing_of(caller: Caller, acl: AccessList) -> Standing | None:
    """The best of what names the caller now; None: it may not know of the case."""
    if caller.kind == "service":  # known by its key, and never a reader
        return None
    if acl.excludes(caller.id, caller.accountable_id):
        return None
    if not agencies_active(caller, acl):
        return None
    if owns(caller, acl):
        return Standing("owner", "own", tuple((section, "own") for section in SECTIONS), None, None)
    shares = list(_in_force(caller, acl))
    return standing_by(shares) if shares else None


def standing_by(shares: list[Share]) -> Standing:
    """How these shares together, of which there is one at least, let somebody stand."""
    best = max(shares, key=lambda share: (_RANK[share.level], _PREFERRED[share.kind]))
    if best.kind == "offer":
        return Standing("share", best.level, _levels(shares), _until(shares), None)
    return Standing(best.kind, best.level, _levels(shares), _until(shares), best.id)


def agencies_active(caller: Caller, acl: AccessList) -> bool:
    """The owner's and the caller's own."""
    inactive = caller.inactive_agencies
    return acl.owner.agency.id not in inactive and caller.agency_id not in inactive


def owns(caller: Caller, acl: AccessList) -> bool:
    """Whether the caller is the owner, and still of the agency whose case it is."""
    owner = acl.owner
    return caller.kind == "user" and caller.id == owner.user.id and caller.agency_id == owner.agency.id


def _in_force(caller: Caller, acl: AccessList) -> Iterator[Share]:
    """The shares that name the caller (both keys) and hold at `caller.now`."""
    for share in acl.shares:
        if (
            of_agency(share, caller)
            and names(share, caller)
            and in_date(share, caller)
            and under_protocol(share, caller)
        ):
            yield share


def of_agency(share: Share, caller: Caller) -> bool:
    """The first key."""
    return share.agency_id == caller.agency_id


def in_date(share: Share, caller: Caller) -> bool:
    return share.expires_at is None or share.expires_at > caller.now


def under_protocol(share: Share, caller: Caller) -> bool:
    """Whether what it rests on is in force: its protocol, to which the caller's agency is party."""
    return share.protocol_id is None or share.protocol_id not in caller.inactive_protocols


def names(share: Share, caller: Caller) -> bool:
    """Whether it names the caller, itself or through a team. The second key only: look at the agency too."""
    if caller.kind == "client":
        return caller.id in share.client_ids
    return caller.id in share.user_ids or not set(share.team_ids).isdisjoint(caller.team_ids)


def _until(shares: list[Share]) -> datetime | None:
    """When the last of them ends; None: one has no end."""
    ends = [share.expires_at for share in shares if share.expires_at is not None]
    return max(ends) if len(ends) == len(shares) else None


def _levels(shares: list[Share]) -> tuple[tuple[Section, ShareLevel], ...]:
    """Where shares overlap, each section has the highest level that any of them grants.

    Whom one of them puts on the perpetrator's side is on it: no other share gives it the victim's sections.
    """
    found: dict[Section, ShareLevel] = {}
    # Kept out when a share is made as well; a leak here would reach the perpetrator.
    barred = (
        NEVER_PERPETRATOR if any(share.side == "perpetrator" for share in shares) else frozenset[Section]()
    )
    for share in shares:
        for section in share.sections:
            if section in barred:
                continue
            if section not in found or _RANK[share.level] > _RANK[found[section]]:
                found[section] = share.level
    return tuple((section, found[section]) for section in SECTIONS if section in found)
