"""Leavers, told by the agency's own identity system: disabled and logged out within the call that tells it.

The system sees its agency's people and no others. It makes nobody, gives no role, and enables nobody whom an
administrator has disabled.
"""

from __future__ import annotations

from typing import Any

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, InvalidTransition, NotVisible
from services.contracts.records import Object
from services.contracts.sharing.provisioning import (
    ChangeProvisioned,
    GetProvisioned,
    ListProvisioned,
    ProvisionedList,
    ProvisionedUser,
    RemoveProvisioned,
)
from services.contracts.views import Empty
from services.sharing.domain import etags
from services.sharing.domain.people import User
from services.sharing.handlers.identity import REFUSALS, Identity, Made
from services.sharing.stores.identities import Provisioned

_ONE = FieldError("/external_id", "one_at_a_time", "One thing is sought at a time.")


class Provisioning(Identity):
    @rpc(expected_exceptions=REFUSALS)
    def list_provisioned(self, request: ListProvisioned, caller: Caller) -> ProvisionedList:
        """Of the caller's own agency."""
        wanted = None
        if request.username is not None and request.external_id is not None:
            raise Invalid(errors=(_ONE,))
        if request.username is not None:
            wanted = ("username", request.username)
        elif request.external_id is not None:
            wanted = ("external_id", request.external_id)
        found, total = self.identities.find(caller.agency_id, wanted, request.start - 1, request.count)
        return ProvisionedList(items=tuple(ProvisionedUser(**_fields(one)) for one in found), total=total)

    @rpc(expected_exceptions=REFUSALS)
    def get_provisioned(self, request: GetProvisioned, caller: Caller) -> ProvisionedUser:
        return _view(self._known(request.user_id, caller))

    @command(expected_exceptions=REFUSALS)
    def change_provisioned(self, request: ChangeProvisioned, caller: Caller) -> ProvisionedUser:
        """What is so already is left alone, so that a system that says it each time writes nothing."""
        given = request.changes

        def body(session: Session, _emit: Emit) -> Made:
            before = self._known(request.user_id, caller, session)
            if request.if_match is not None:
                etags.check(request.if_match, etags.etag_of(before.user.version))
            values: dict[str, Any] = {}
            if "external_id" in given.model_fields_set and given.external_id != before.external_id:
                values["external_id"] = given.external_id
            values |= _moved(before, given.active)
            if values:
                what = {"disabled": "disable"}.get(values.get("state", ""), "enable")
                self._change(before, values, what if "state" in values else "change", caller, session)
            return Made(id=before.user.id)

        made = self.commands.run(request, Made, body)
        return _view(self._known(made.id, caller))

    @command(expected_exceptions=REFUSALS)
    def remove_provisioned(self, request: RemoveProvisioned, caller: Caller) -> Empty:
        def body(session: Session, _emit: Emit) -> Made:
            before = self._known(request.user_id, caller, session)
            values = {**_moved(before, False), "external_id": None, "gone": True}
            self._change(before, values, "disable", caller, session)
            return Made(id=before.user.id)

        self.commands.run(request, Made, body)
        return Empty()

    def _change(
        self, before: Provisioned, values: dict[str, Any], what: str, caller: Caller, session: Session
    ) -> None:
        self.identities.change(before, values, by=caller.id, what=what, now=self.now(), session=session)
        user = before.user
        self.keep(
            caller,
            f"user.{what}",
            Object(type="user", id=user.id, agency_id=user.agency_id, version=user.version + 1),
        )

    def _known(self, user_id: str, caller: Caller, session: Session | None = None) -> Provisioned:
        """Raises NotVisible."""
        found = self.identities.provisioned(user_id, caller.agency_id, session)
        if found is None:
            raise NotVisible
        return found


def _moved(before: Provisioned, active: bool | None) -> dict[str, Any]:
    """What `active` changes. Raises InvalidTransition."""
    user = before.user
    if active is None or active == (user.state != "disabled"):
        return {}
    if not active:
        return {"state": "disabled", "disabled": True}
    if not before.disabled:
        raise InvalidTransition(cause="disabled by an administrator")
    return {"state": _enabled(user), "disabled": False}


def _enabled(user: User) -> str:
    """As before: who had never come in is still invited, and needs an invitation or a sign-in."""
    return "active" if user.has_password or user.is_bound else "invited"


def _view(one: Provisioned) -> ProvisionedUser:
    return ProvisionedUser(**_fields(one), etag=etags.etag_of(one.user.version))


def _fields(one: Provisioned) -> dict[str, Any]:
    user = one.user
    return {
        "id": user.id,
        "external_id": one.external_id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "active": user.state != "disabled",
        "version": etags.etag_of(user.version),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
