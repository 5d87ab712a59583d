"""Devices: registered and revoked by an agency's administrator, enrolled in the browser that they are."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.records import Object
from services.contracts.sharing.devices import (
    DevicePage,
    DeviceRegistered,
    DeviceView,
    EnrolDevice,
    EnrolmentBody,
    GetDevice,
    ListDevices,
    PatchDevice,
    RegisterDevice,
)
from services.sharing.domain import etags, limits
from services.sharing.domain.devices import (
    CODE_LASTS,
    MOST_EACH,
    Device,
    check_enrolment,
    check_move,
    hash_code,
    new_code,
)
from services.sharing.handlers.identity import (
    REFUSALS,
    UNSAID,
    Begun,
    Identity,
    Made,
    changes_of,
    own_agency,
)

_NO_HASH = "0" * 64


class Devices(Identity):
    @command(expected_exceptions=REFUSALS)
    def register_device(self, request: RegisterDevice, caller: Caller) -> DeviceRegistered:
        """The code with which it is enrolled is shown here once."""
        given, now, code = request.device, self.now(), new_code()
        device = Device(
            id=new_event_id(),
            agency_id=caller.agency_id,
            user_id=given.user_id,
            name=given.name,
            device_class=given.device_class,
            state="registered",
            enrolled_at=None,
            version=1,
            created_at=now,
            updated_at=now,
        )

        def body(session: Session, _emit: Emit) -> Made:
            self._check_user(device, session)
            self.devices.add(device, hash_code(code), now + CODE_LASTS, session)
            self.keep(caller, "device.register", *_objects(device))
            return Made(id=device.id)

        made = self.commands.run(request, Made, body)
        found = self._device(made.id, caller)
        view = DeviceRegistered(**_fields(found), etag=etags.etag_of(found.version))
        if made.id != device.id:
            return view
        told = {"enrolment_code": code, "enrolment_expires_at": now + CODE_LASTS}
        return view.model_copy(update=told)

    @rpc(expected_exceptions=REFUSALS)
    def list_devices(self, request: ListDevices, caller: Caller) -> DevicePage:
        """Of the own agency, by name."""
        wanted = {name: getattr(request, name) for name in ("user_id", "state")}
        asked = {name: value for name, value in wanted.items() if value is not None}
        found, after = self.devices.page(caller.agency_id, asked, request.limit, request.cursor)
        return DevicePage(items=tuple(DeviceView(**_fields(one)) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_device(self, request: GetDevice, caller: Caller) -> DeviceView:
        return _view(self._device(request.device_id, caller))

    @command(expected_exceptions=REFUSALS)
    def patch_device(self, request: PatchDevice, caller: Caller) -> DeviceView:
        """A revoked one proves nothing from the next request on."""
        changes = changes_of(request.changes)

        def body(session: Session, _emit: Emit) -> Made:
            before = self._device(request.device_id, caller, session)
            etags.check(request.if_match, etags.etag_of(before.version))
            check_move(before)
            after = self.devices.change(before, changes, self.now(), session)
            self.keep(caller, f"device.{'revoke' if 'state' in changes else 'change'}", *_objects(after))
            return Made(id=after.id)

        return _view(self._device(self.commands.run(request, Made, body).id, caller))

    @command(expected_exceptions=REFUSALS)
    def enrol_device(self, request: EnrolDevice, caller: Caller) -> DeviceView:
        """From now on the secret with this hash proves the device. Raises InvalidTransition where the same
        command has enrolled it by another secret."""
        # Tried as often as at log-in, and no oftener.
        keys = [limits.of_username(self.users.load(caller.id).username)]
        attempt = self.attempts.begin(keys, self.now())
        mark = request.secret_hash[:16]

        def body(session: Session, _emit: Emit) -> Begun:
            now = self.now()
            found = self.devices.by_code(hash_code(request.enrolment.code), now, session)
            device = self.devices.enrol(
                check_enrolment(found, caller.id, caller.agency_id), request.secret_hash, now, session
            )
            self.keep(caller, "device.enrol", *_objects(device))
            return Begun(id=device.id, mark=mark)

        unsaid = {"enrolment": EnrolmentBody(code=UNSAID), "secret_hash": _NO_HASH}
        begun = self.commands.run(request.model_copy(update=unsaid), Begun, body)
        self.attempts.forgive(keys, attempt)
        if begun.mark != mark:
            raise InvalidTransition(cause="enrolled by another secret")
        return DeviceView(**_fields(self.devices.load(begun.id)))

    def _device(self, device_id: str, caller: Caller, session: Session | None = None) -> Device:
        found = self.devices.load(device_id, session)
        own_agency(caller, found.agency_id)
        return found

    def _check_user(self, device: Device, session: Session) -> None:
        """Raises Invalid, `/user_id`."""
        if device.user_id is None:
            return
        user = self.users.known([device.user_id], session).get(device.user_id)
        if user is None or user.agency_id != device.agency_id or user.state == "disabled":
            error = FieldError("/user_id", "unknown_user", "There is no such person in this agency.")
        elif self.devices.count_of(device.user_id, session) >= MOST_EACH:
            error = FieldError("/user_id", "too_many", "This person has as many devices as one can have.")
        else:
            return
        raise Invalid(errors=(error,))


def _view(device: Device) -> DeviceView:
    return DeviceView(**_fields(device), etag=etags.etag_of(device.version))


def _fields(device: Device) -> dict[str, object]:
    return {
        "id": device.id,
        "name": device.name,
        "device_class": device.device_class,
        "agency_id": device.agency_id,
        "user_id": device.user_id,
        "state": device.state,
        "enrolled_at": device.enrolled_at,
        "created_at": device.created_at,
        "updated_at": device.updated_at,
    }


def _objects(device: Device) -> tuple[Object, ...]:
    own = Object(type="device", id=device.id, agency_id=device.agency_id, version=device.version)
    if device.user_id is None:
        return (own,)
    return own, Object(type="user", id=device.user_id, agency_id=device.agency_id)
