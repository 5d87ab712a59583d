"""Devices: registered by an agency's administrator, enrolled by whoever holds them (R31).

sharing.register_device(RegisterDevice) -> DeviceRegistered    command; POST /devices
sharing.list_devices(ListDevices) -> DevicePage                query
sharing.get_device(GetDevice) -> DeviceView                    query
sharing.patch_device(PatchDevice) -> DeviceView                command; PATCH with If-Match
sharing.enrol_device(EnrolDevice) -> DeviceView                command; POST /devices/enrolments
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from ..caller import ArgumentsHash
from ..messages import Id, Moment, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import EnrolledClass, Name
from .agencies import IfMatch

DeviceState = Literal["registered", "enrolled", "revoked"]


class DeviceBody(Request):
    """`user_id`: whose it is; without one anybody of the agency may use it. `device_class` is `class` in
    every JSON: that is a word of the language that this is written in."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    name: Name
    device_class: EnrolledClass = Field(alias="class")
    user_id: Id | None = None


class RegisterDevice(Request):
    """Of the own agency. Raises Invalid: `/user_id` (not of the agency, or too many devices already)."""

    device: DeviceBody


class ListDevices(PageRequest):
    """Of the own agency, by name."""

    user_id: Id | None = None
    state: DeviceState | None = None


class GetDevice(Request):
    device_id: Id


class DeviceChanges(Request):
    """What is revoked stays so: another registration makes a device of it again."""

    name: Name | None = None
    state: Literal["revoked"] | None = None


class PatchDevice(Request):
    device_id: Id
    if_match: IfMatch | None = None
    changes: DeviceChanges


class EnrolmentBody(Request):
    """The code as the administrator read it out; case, blanks and dashes count for nothing."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class EnrolDevice(Request):
    """`secret_hash`: SHA-256, in hex, of what the browser will prove itself by; the secret itself stays
    between browser and gateway. Raises Invalid, `/code` code_not_valid; RateLimited."""

    enrolment: EnrolmentBody
    secret_hash: ArgumentsHash


class DeviceView(View):
    """`user_id` null: anybody of the agency may use it."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    id: str
    name: str
    device_class: EnrolledClass = Field(alias="class")
    agency_id: str
    user_id: str | None
    state: DeviceState
    enrolled_at: Moment | None
    created_at: Moment
    updated_at: Moment


class DeviceRegistered(DeviceView):
    """`enrolment_code` once: a replay of the same key has none."""

    enrolment_code: str | None = None
    enrolment_expires_at: Moment | None = None


class DevicePage(View):
    items: tuple[DeviceView, ...]
    next: str | None
