"""People: looked after by their agency's administrators, the first of whom the operator appoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.chassis import offload
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, InvalidTransition, RoleRequired
from services.contracts.records import Actor, Object
from services.contracts.sharing.people import (
    Activate,
    Activated,
    ActivationBody,
    GetUser,
    InviteUser,
    ListUsers,
    PatchUser,
    ResetUser,
    RoleGiven,
    UserInvited,
    UserPage,
    UserReset,
    UserView,
)
from services.sharing.domain import etags, passwords, tokens
from services.sharing.domain.certifying import due_in
from services.sharing.domain.london import day_of
from services.sharing.domain.people import (
    Appointment,
    User,
    check_move,
    check_roles,
    may_deputise,
    reaches_beyond,
    works_on_cases,
)
from services.sharing.domain.showing_people import user_fields
from services.sharing.handlers.identity import (
    REFUSALS,
    UNSAID,
    Begun,
    Identity,
    Made,
    changes_of,
    is_operator,
    within_reach,
)

_AGENCY = FieldError("/agency_id", "unknown_agency", "There is no such agency.")
_OWN = "Another administrator has to do this: nobody lets themself into cases."
_DEPUTY = FieldError("/deputy_id", "not_available", "Name another caseworker of this agency.")
_TOKEN = FieldError("/token", "token_not_valid", "This token is not valid, or not any more.")


class People(Identity):
    @command(expected_exceptions=REFUSALS)
    def invite_user(self, request: InviteUser, caller: Caller) -> UserInvited:
        """Make an account that its user activates with a token, shown here once."""
        given, now = request.user, self.now()
        own = given.agency_id == caller.agency_id
        if not own and not is_operator(caller):
            raise RoleRequired
        roles = _appointments(given.roles)
        check_roles(roles, (), caller.roles, own_agency=own)
        user = User(
            id=new_event_id(),
            username=given.username,
            name=given.name,
            email=given.email,
            agency_id=given.agency_id,
            job_title=given.job_title,
            team_ids=tuple(dict.fromkeys(given.team_ids)),
            roles=roles,
            state="invited",
            signature=None,
            has_password=False,
            has_totp=False,
            must_change=False,
            version=1,
            created_at=now,
            updated_at=now,
            certify_by=due_in(self.settings.certify_days, now),
        )
        token, until = tokens.make("a", user.id), now + self.settings.activation_lasts

        def body(session: Session, _emit: Emit) -> Made:
            if not self.agencies.known([user.agency_id], session):
                raise Invalid(errors=(_AGENCY,))
            self._check_teams(user.agency_id, user.team_ids, session)
            self.users.add(user, {"hash": token.hash, "expires_at": until}, session)
            self.keep(caller, "user.invite", _object(user))
            return Made(id=user.id)

        made = self.commands.run(request, Made, body)
        found = self.users.load(made.id)
        view = UserInvited(**self._fields([found])[0], etag=etags.etag_of(found.version))
        if made.id != user.id or view.passwords == "refused":
            return view
        return view.model_copy(update={"activation_token": token.text, "activation_expires_at": until})

    @rpc(expected_exceptions=REFUSALS)
    def list_users(self, request: ListUsers, caller: Caller) -> UserPage:
        """Of the own agency; the operator may name another."""
        agency_id = request.agency_id or caller.agency_id
        within_reach(caller, agency_id)
        found, after = self.users.page(agency_id, request.state, request.limit, request.cursor)
        return UserPage(items=tuple(UserView(**one) for one in self._fields(found)), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_user(self, request: GetUser, caller: Caller) -> UserView:
        found = self.users.load(request.user_id)
        within_reach(caller, found.agency_id)
        return self._viewed(found)

    @command(expected_exceptions=REFUSALS)
    def patch_user(self, request: PatchUser, caller: Caller) -> UserView:
        """Name, teams, roles, state. To disable ends every session: the next request is refused."""
        changes = changes_of(request.changes, frozenset({"job_title", "deputy_id"}))
        if "roles" in changes:
            changes["roles"] = _appointments(changes["roles"])
        if "team_ids" in changes:
            changes["team_ids"] = tuple(dict.fromkeys(changes["team_ids"]))

        def body(session: Session, _emit: Emit) -> Made:
            before = self.users.load(request.user_id, session)
            _check_reach(caller, before)
            etags.check(request.if_match, etags.etag_of(before.version))
            if changes.get("state", before.state) != before.state:
                check_move(before.state, changes["state"], has_way_in=before.has_password or before.is_bound)
            if "roles" in changes:
                own = before.agency_id == caller.agency_id
                check_roles(changes["roles"], before.roles, caller.roles, own_agency=own)
            self._check_teams(before.agency_id, changes.get("team_ids", ()), session)
            _check_own(caller, before, changes)
            self._check_deputy(before, changes.get("deputy_id"), session)
            what = _what(before, changes)
            after = self.users.change(
                before, changes, by=caller.id, what=what, now=self.now(), session=session
            )
            self.keep(caller, f"user.{what}", _object(after))
            return Made(id=after.id)

        return self._viewed(self.users.load(self.commands.run(request, Made, body).id))

    @command(expected_exceptions=REFUSALS)
    def reset_user(self, request: ResetUser, caller: Caller) -> UserReset:
        """Begin anew: no password, no authenticator, no session; a token with which to choose a password."""
        now = self.now()
        token, until = tokens.make("a", request.user_id), now + self.settings.activation_lasts
        mark = token.hash[:16]

        def body(session: Session, _emit: Emit) -> Begun:
            before = self.users.load(request.user_id, session)
            _check_reach(caller, before)
            # Whoever holds the token could take on roles that are not an administrator's to give.
            if reaches_beyond(before.roles) and not is_operator(caller):
                raise RoleRequired
            if before.state == "disabled":
                raise InvalidTransition(cause="user disabled reset")
            activation = {"hash": token.hash, "expires_at": until}
            self.users.invite_again(before, activation, caller.id, now=now, session=session)
            self.keep(caller, "user.reset", _object(before))
            return Begun(id=before.id, mark=mark)

        begun = self.commands.run(request, Begun, body)
        found = self.users.load(begun.id)
        refused = self.refuses_password(found)
        view = UserReset(id=found.id, state=found.state, passwords="refused" if refused else "allowed")
        if begun.mark != mark or refused:
            return view
        return view.model_copy(update={"activation_token": token.text, "activation_expires_at": until})

    @command(callers=("gateway",), expected_exceptions=REFUSALS)
    def activate(self, request: Activate) -> Activated:
        """Choose the first password. Works in any state of the agency, once for each token."""
        given, now = request.activation, self.now()
        token = tokens.read(given.token)
        found = self.accounts.locked(token.principal_id) if token and token.kind == "a" else None
        user = found.user if found and found.activation_hash == (token and token.hash) else None
        if self.refuses_password(user):
            user = None
        new_hash = ""
        if user is not None:
            passwords.check(given.password, user.username, "/password")
            new_hash = offload.hash_password(passwords.normal(given.password))

        def body(session: Session, _emit: Emit) -> Made:
            if user is None or token is None:
                raise Invalid(errors=(_TOKEN,))
            if not self.accounts.activate(user.id, token.hash, new_hash, now=now, transaction=session):
                raise Invalid(errors=(_TOKEN,))
            actor = Actor(kind="user", id=user.id, agency_id=user.agency_id)
            self.keep(actor, "user.activate", _object(user))
            return Made(id=user.id)

        unsaid = request.model_copy(update={"activation": ActivationBody(token=UNSAID, password=UNSAID)})
        made = self.commands.run(unsaid, Made, body)
        return Activated(username=self.users.load(made.id).username)

    def _viewed(self, user: User) -> UserView:
        return UserView(**self._fields([user])[0], etag=etags.etag_of(user.version))

    def _fields(self, users: Sequence[User]) -> list[dict[str, object]]:
        """Of people of one agency."""
        provider = self.identity_providers.of(users[0].agency_id)[0] if users else None
        return [user_fields(one, provider, day_of(self.now())) for one in users]

    def _check_teams(self, agency_id: str, team_ids: Iterable[str], session: Session) -> None:
        """Raises Invalid, `/team_ids/<n>`."""
        wanted = list(team_ids)
        known = self.teams.known(wanted, session) if wanted else {}
        errors = [
            FieldError(f"/team_ids/{number}", "unknown_team", "There is no such team in this agency.")
            for number, one in enumerate(wanted)
            if one not in known or known[one].agency_id != agency_id
        ]
        if errors:
            raise Invalid(errors=tuple(errors))

    def _check_deputy(self, user: User, deputy_id: str | None, session: Session) -> None:
        """Raises Invalid, `/deputy_id`."""
        if deputy_id is None or deputy_id == user.deputy_id:
            return
        found = self.users.known([deputy_id], session).get(deputy_id)
        if found is None or not may_deputise(found, user):
            raise Invalid(errors=(_DEPUTY,))


def _check_own(caller: Caller, before: User, changes: dict[str, Any]) -> None:
    """R39: nobody gives themself content by administering. Another administrator has to. Raises Invalid."""
    wrong = set()
    if changes.get("deputy_id") == caller.id != before.deputy_id:
        wrong.add("deputy_id")
    if before.id == caller.id:
        if works_on_cases(changes.get("roles", ())) and not works_on_cases(before.roles):
            wrong.add("roles")
        if not set(changes.get("team_ids", ())) <= set(before.team_ids):
            wrong.add("team_ids")
    if wrong:
        raise Invalid(errors=tuple(FieldError(f"/{name}", "own_account", _OWN) for name in sorted(wrong)))


def _check_reach(caller: Caller, user: User) -> None:
    """Raises NotVisible, RoleRequired. Who may reset an account could become its user where no mail is sent:
    the operator, who has no case content (R39), so leaves alone whoever works on cases."""
    within_reach(caller, user.agency_id)
    if user.agency_id != caller.agency_id and works_on_cases(user.roles):
        raise RoleRequired


def _appointments(given: Iterable[RoleGiven]) -> tuple[Appointment, ...]:
    return tuple(dict.fromkeys(Appointment(one.role, one.starts_on, one.ends_on) for one in given))


def _what(before: User, changes: dict[str, object]) -> str:
    """The one word for the log: the gravest thing that changed."""
    if changes.get("state", before.state) != before.state:
        return "disable" if changes["state"] == "disabled" else "enable"
    return "appoint" if "roles" in changes else "change"


def _object(user: User) -> Object:
    return Object(type="user", id=user.id, agency_id=user.agency_id, version=user.version)
