"""What the other services ask of `sharing`, and what it tells the holders. No user or client may ask these.

sharing.identify(Identify) -> Identified                 query, asked by the gateway for every request
sharing.register_case(RegisterCase) -> AccessList        command, asked by cases
sharing.access_lists(GetAccessLists) -> AccessLists      query, asked by cases, audit, notify
sharing.principals(GetPrincipals) -> Principals          query, asked by cases, notify, audit
sharing.team_members(GetTeamMembers) -> TeamMembers      query, asked by audit for supervisors
sharing.exclusions(GetExclusions) -> Exclusions         query, asked by audit for who reads the log
sharing.powers(GetPowers) -> Powers                      query, asked by audit for statements to people
sharing.may_know(MayKnow) -> MayKnowAnswers              query, asked by notify at the moment of sending
sharing.describe(Describe) -> Described                  query: names for ids, asked by every service
cases.apply_acl(ApplyAccessLists) -> AppliedLists        command, asked by sharing
cases.cases_known(GetCasesKnown) -> CasesKnown           query, asked by sharing's sweep of registrations
cases.cases_of_subject(GetCasesOfSubject) -> CasesOfSubject    query, asked by audit for statements to people
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .access import AccessList
from .caller import ArgumentsHash
from .messages import EventData, Id, Moment, Reply, Request
from .paging import Ref
from .vocabulary import AccessReason, Section, ShareLevel

Ids = Annotated[tuple[Id, ...], Field(max_length=200)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class DeviceProof(Request):
    """What a browser's device cookie comes to: which device, and the SHA-256, in hex, of its secret."""

    id: Id
    hash: ArgumentsHash


class Identify(Request):
    """Who sends this request, and may it be sent to `audience`.`method` at all?

    `token` is the session's. `address` is the client's, believed only from configured proxies. `device`: what
    it proves to be used from, judged anew each time.
    """

    token: Token | None = None
    audience: str
    method: str
    args_hash: ArgumentsHash
    request_id: str
    address: str | None = None
    device: DeviceProof | None = None


class Identified(Reply):
    """The signed caller: `body` is its JSON, `mac` in hex. Refusals are raised."""

    body: str
    mac: str


class RegisterCase(Request):
    """Own a new case. The owner team, if any, is one of the owner's and gets a share at contribute; so does a
    client that opens the case for its accountable person, the owner.

    Raises Invalid with pointer /owner_team_id. The same case registered again for the same owner is no error.
    """

    case_id: Id
    owner_user_id: Id
    owner_agency_id: Id
    owner_team_id: Id | None = None
    owner_client_id: Id | None = None


class GetAccessLists(Request):
    case_ids: Ids


class AccessLists(Reply):
    """Those that there are; a case without one does not exist."""

    items: tuple[AccessList, ...]


class GetPrincipals(Request):
    """Users, clients or teams by id."""

    ids: Ids


class Principal(Reply):
    """Enough of a user, client or team to judge access and to write its name down. `active`: it could log in
    now."""

    kind: Literal["user", "client", "team"]
    id: str
    name: str
    agency: Ref
    team_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    accountable_id: str | None = None
    active: bool


class Principals(Reply):
    """`inactive_*` and `now` as a `Caller` carries them: with them the access rule can be asked."""

    items: tuple[Principal, ...]
    inactive_agencies: tuple[str, ...] = ()
    inactive_protocols: tuple[str, ...] = ()
    now: Moment


class GetTeamMembers(Request):
    team_ids: Ids


class TeamMembers(Reply):
    """The people who are in these teams now, at most 500."""

    user_ids: tuple[str, ...]


class GetExclusions(Request):
    """Which of these cases do not exist for somebody, by a conflict of interest: for a system, its own id and
    that of the person who answers for it."""

    user_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=2)]
    case_ids: Annotated[tuple[Id, ...], Field(max_length=2000)]


class Exclusions(Reply):
    """`some` tells whether there is a case at all that does not, also of those that were not asked about."""

    some: bool
    case_ids: tuple[str, ...]


class GetPowers(Request):
    case_ids: Annotated[tuple[Id, ...], Field(max_length=50)]


class GrantedPower(Reply):
    """Under what one agency was given one case, and from when to when: `until` is the end or expiry."""

    case_id: str
    share_id: str
    agency_id: str
    purpose: str | None
    legal_gateway: str | None
    protocol_id: str | None
    regime: str
    since: Moment
    until: Moment | None


class Powers(Reply):
    """Of shares in force and past, the newest 100 past ones of each case."""

    items: tuple[GrantedPower, ...]


class Question(Request):
    """May this principal be told of this now? `section`: of what it tells; `withheld_from`: agencies;
    `assignee`: index key (`u:`, `t:`) of a task's, for those who see only their own tasks; `least`: the level
    that it takes where it is of no section; `alert`: it is for those who answer for the case, its owner and
    officers, and tells nothing of what is in it."""

    principal_id: Id
    case_id: Id
    section: Section | None = None
    withheld_from: tuple[Id, ...] = ()
    assignee: str | None = None
    least: ShareLevel = "know"
    alert: bool = False


class MayKnow(Request):
    questions: Annotated[tuple[Question, ...], Field(max_length=500)]


class MayKnowAnswers(Reply):
    """In the order of the questions."""

    answers: tuple[bool, ...]


class Describe(Request):
    """Users, clients, teams, agencies by id."""

    ids: Ids


class Described(Reply):
    """Names by id; an id that is not known is absent. `agency_id` of those that belong to one."""

    names: dict[str, str]
    agencies: dict[str, str]


class ApplyAccessLists(Request):
    lists: Annotated[tuple[AccessList, ...], Field(max_length=50)]


class StoredVersion(Reply):
    """What the holder has now: at least what it was given, or nothing for a case that it has not."""

    case_id: str
    term: int
    epoch: int


class AppliedLists(Reply):
    items: tuple[StoredVersion, ...]


class GetCasesKnown(Request):
    case_ids: Ids


class CasesKnown(Reply):
    case_ids: tuple[str, ...]


class GetCasesOfSubject(Request):
    subject_id: Id


class CaseOfSubject(Reply):
    """`since` is when the case was opened: when the subject came into it stands in the log alone."""

    case_id: str
    since: Moment


class CasesOfSubject(Reply):
    """The cases that the subject is in now, at most 500 of them. `agency_id` whose record it is; None: there
    is no such subject."""

    agency_id: str | None
    items: tuple[CaseOfSubject, ...]


class CaseEvent(EventData):
    """The data of every event about a case, from `cases` and from `sharing`; aggregate `cases/<id>`.

    Only the ids go out to subscribers; the rest tells `notify` whom it concerns. `actor_id` is who caused it.
    """

    case_id: str
    entry_id: str | None = None
    task_id: str | None = None
    share_id: str | None = None
    section: Section | None = None
    withheld_from: tuple[str, ...] = ()
    assignee: str | None = None
    actor_id: str | None = None
    agency_id: str | None = None


Reason = AccessReason
