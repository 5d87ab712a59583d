"""Whom `identify` vouches for, and what everybody else is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.authority import Identify
from services.contracts.bars import Bar
from services.contracts.caller import Caller
from services.contracts.errors import (
    AccountDisabled,
    AgencySuspended,
    Invalid,
    PasswordChangeRequired,
    ProcedureMissing,
    ProcedureUnsigned,
    ProtocolExpired,
    RoleRequired,
    TotpNotEnrolled,
    Unauthenticated,
)
from services.contracts.permissions import permit_of
from services.sharing.domain.clients import check_scopes
from services.sharing.domain.devices import Proved
from services.sharing.domain.identifying import Asked, judge_client, judge_provisioner, judge_user
from services.sharing.domain.people import Appointment
from services.sharing.domain.places import PlaceRule
from services.sharing.domain.sessions import Limits, Session, musts
from services.sharing.domain.trainings import Training
from tests.unit.sharing.people import DAY, NOW, POLICE, TODAY, client, protocol, published, standing, user

LIMITS = Limits(timedelta(minutes=30), timedelta(hours=12), demo=False)
SESSION = Session("s-1", "hash", NOW, NOW, NOW + timedelta(hours=12))


def asked(service: str = "cases", method: str = "list_cases", **more: Any) -> Asked:
    permit = permit_of(service, method)
    assert permit is not None
    request = Identify(
        token="t", audience=service, method=method, args_hash="0" * 64, request_id="r", address="10.0.0.1"
    )
    given: dict[str, Any] = {
        "request": request,
        "permit": permit,
        "standing": standing().on(TODAY),
        "fences": {"case-1": 3},
        "limits": LIMITS,
        "now": NOW,
        "expires_at": NOW + timedelta(seconds=4),
    }
    return Asked(**{**given, **more})


def test_the_caller_says_who_asks_and_how_things_stand() -> None:
    held = {"on": protocol(POLICE), "off": protocol(POLICE, state="ended")}
    caller = judge_user(
        asked(standing=standing(protocols=held, operator="suspended").on(TODAY)), user(), SESSION
    )
    assert Caller.model_validate_json(caller.model_dump_json()) == caller
    assert caller.model_dump(exclude={"now", "expires_at", "args_hash"}) == {
        "kind": "user",
        "id": "user-1",
        "accountable_id": None,
        "agency_id": POLICE,
        "agency_type": "police",
        "team_ids": ("team-1",),
        "roles": ("practitioner",),
        "scopes": (),
        "uses": (),
        "session_id": "s-1",
        "name": "Fiona Officer",
        "agency_name": "Cleveland Police",
        "device_class": "personal",
        "device_id": None,
        "barred": {},
        "procedure_version": "1",
        "inactive_agencies": ("operator-1",),
        "inactive_protocols": ("off",),
        "fences": {"case-1": 3},
        "audience": "cases",
        "method": "list_cases",
        "request_id": "r",
    }


@pytest.mark.parametrize(
    ("who", "session", "how", "refusal"),
    [
        ({"state": "disabled"}, {}, {}, Unauthenticated),
        ({}, {"expires_at": NOW}, {}, Unauthenticated),
        ({}, {"seen_at": NOW - timedelta(minutes=30)}, {}, Unauthenticated),
        ({}, {}, {"police": "suspended"}, AgencySuspended),
        ({}, {}, {"protocols": {"p": protocol(POLICE, ends_on=TODAY - DAY)}}, ProtocolExpired),
        ({"must_change": True, "has_totp": False, "signature": None}, {}, {}, PasswordChangeRequired),
        ({"has_totp": False, "signature": None}, {}, {}, TotpNotEnrolled),
        ({"signature": None}, {}, {}, ProcedureUnsigned),
        ({}, {}, {"procedures": (published(1, -2 * DAY, -DAY), published(2, -DAY, -DAY))}, ProcedureUnsigned),
        ({}, {}, {"procedures": ()}, ProcedureMissing),
        ({"roles": ()}, {}, {}, RoleRequired),
        ({"roles": (Appointment("practitioner", ends_on=TODAY - DAY),)}, {}, {}, RoleRequired),
        ({"roles": (Appointment("practitioner", TODAY + DAY),)}, {}, {}, RoleRequired),
        ({"roles": (), "signature": None}, {}, {}, ProcedureUnsigned),
        ({"must_change": True}, {}, {"police": "withdrawn"}, AgencySuspended),
    ],
)
def test_why_a_user_is_refused(who: Any, session: Any, how: Any, refusal: Any) -> None:
    fields = {name: getattr(SESSION, name) for name in Session.__slots__}
    with pytest.raises(refusal) as refused:
        judge_user(asked(standing=standing(**how).on(TODAY)), user(**who), Session(**{**fields, **session}))
    assert type(refused.value) is refusal


def test_a_session_from_before_its_agency_was_shut_out_is_over_also_for_the_own_account() -> None:
    held = standing()
    since = NOW + timedelta(minutes=1)
    back = replace(
        held, agencies={**held.agencies, POLICE: replace(held.agencies[POLICE], sessions_since=since)}
    )
    for service, method in (("cases", "list_cases"), ("sharing", "me")):
        judged = asked(service, method, standing=back.on(TODAY))
        with pytest.raises(Unauthenticated):
            judge_user(judged, user(), SESSION)
        assert judge_user(judged, user(), replace(SESSION, created_at=since)).id == "user-1"
    with pytest.raises(Unauthenticated):
        judge_client(asked(standing=back.on(TODAY)), client(), SESSION, user())


def test_only_who_was_shut_out_before_logs_in_anew() -> None:
    over = standing(protocols={"p": protocol(POLICE, ends_on=TODAY - DAY)}).on(TODAY)
    assert standing().on(TODAY).let_in(over) == (POLICE,)
    assert standing().on(TODAY).let_in(standing().on(TODAY)) == ()
    assert over.let_in(standing().on(TODAY)) == ()


def test_own_account_and_procedure_come_before_everything_else() -> None:
    new = user(must_change=True, has_totp=False, signature=None)
    for method in ("me", "change_password", "start_totp", "current_procedure", "sign_procedure"):
        assert judge_user(asked("sharing", method), new, SESSION).id == "user-1"
    with pytest.raises(PasswordChangeRequired):
        judge_user(asked("sharing", "list_agencies"), new, SESSION)


def test_a_method_about_a_case_is_no_matter_of_roles_here() -> None:
    assert judge_user(asked(method="get_case"), user(roles=()), SESSION).roles == ()


def test_before_the_first_procedure_there_is_only_setting_up() -> None:
    nothing = standing(procedures=()).on(TODAY)
    manager = user(roles=(Appointment("security_manager"), Appointment("system_operator")), signature=None)
    for method in ("publish_procedure", "create_agency", "invite_user"):
        assert judge_user(asked("sharing", method, standing=nothing), manager, SESSION)
    for service, method in (("sharing", "list_agencies"), ("cases", "list_cases"), ("cases", "get_case")):
        with pytest.raises(ProcedureMissing):
            judge_user(asked(service, method, standing=nothing), manager, SESSION)
    with pytest.raises(TotpNotEnrolled):
        judge_user(asked("sharing", "publish_procedure", standing=nothing), user(has_totp=False), SESSION)


def test_the_demonstration_holds_nobody_up_for_an_authenticator() -> None:
    limits = Limits(LIMITS.idle, LIMITS.longest, demo=True)
    assert judge_user(asked(limits=limits), user(has_totp=False), SESSION)
    assert musts(must_change=True, has_totp=False, signed=False, demo=True) == (
        "change_password",
        "sign_procedure",
    )


OFFICE = (PlaceRule("official_sensitive", ("10.0.0.0/24",), ("managed",), step_up=True),)
CODE = {"cites": {"device_not_permitted": "5 Devices"}}


def held_to(places: Any, **more: Any) -> Any:
    """The police hold to these rules; the procedure has a clause for each refusal of a device."""
    found = standing(procedures=(replace(published(), **CODE),), **more)
    agencies = {**found.agencies, POLICE: replace(found.agencies[POLICE], places=places)}
    return replace(found, agencies=agencies).on(TODAY)


def test_what_a_device_proves_to_be_is_what_it_counts_as() -> None:
    here = asked(standing=held_to(OFFICE))
    assert judge_user(here, user(), SESSION, Proved("d-1", "managed")).barred == {}
    caller = judge_user(here, user(), SESSION)
    assert (caller.device_class, caller.device_id) == ("personal", None)
    assert caller.barred["marking:official_sensitive"] == Bar(code="step_up_required", clause="5 Devices")
    assert Caller.model_validate_json(caller.model_dump_json()) == caller
    # Where there is no authenticator, no code helps.
    demo = replace(here, limits=Limits(LIMITS.idle, LIMITS.longest, demo=True))
    without = judge_user(demo, user(has_totp=False), SESSION).barred["marking:official_sensitive"]
    assert without == Bar(code="device_not_permitted", clause="5 Devices")


def test_a_fresh_code_counts_in_its_session_until_it_ends() -> None:
    here, key = asked(standing=held_to(OFFICE)), "marking:official_sensitive"
    fresh = replace(SESSION, stepped_up_until=NOW + timedelta(seconds=1))
    assert key not in judge_user(here, user(), fresh).barred
    assert key in judge_user(here, user(), replace(SESSION, stepped_up_until=NOW)).barred


def test_training_opens_a_use_until_its_last_day() -> None:
    before = asked(trained=("vemt", "iom"))
    assert set(judge_user(before, user(), SESSION).barred) == {"use:vemt", "use:iom"}
    taught = user(
        trainings=(
            Training("1", "vemt", TODAY - DAY, TODAY, NOW),
            Training("2", "iom", TODAY - 9 * DAY, TODAY - DAY, NOW),
        )
    )
    caller = judge_user(before, taught, SESSION)
    assert caller.uses == ("vemt",)
    assert set(caller.barred) == {"use:iom"}
    # What its accountable person was taught, a system was.
    assert set(judge_client(before, client(), SESSION, taught).barred) == {"use:iom"}


def test_a_system_is_a_managed_device_in_the_networks_of_its_registration() -> None:
    here, key = asked(standing=held_to(OFFICE)), "marking:official_sensitive"
    assert judge_client(here, client(networks=("10.0.0.0/24",)), SESSION, user()).barred == {}
    for networks in ((), ("0.0.0.0/1", "128.0.0.0/1"), ("10.0.0.0/24", "::/0")):
        wide = judge_client(here, client(networks=networks), SESSION, user())
        assert wide.device_class == "personal"
    anywhere = judge_client(here, client(), SESSION, user())
    assert (anywhere.device_class, anywhere.barred[key].code) == ("personal", "device_not_permitted")


def test_what_is_to_do_comes_in_its_order() -> None:
    assert musts(must_change=True, has_totp=False, signed=False, demo=False) == (
        "change_password",
        "enrol_totp",
        "sign_procedure",
    )
    assert musts(must_change=False, has_totp=True, signed=True, demo=False) == ()


def test_a_client_speaks_for_its_accountable_person() -> None:
    caller = judge_client(asked(), client(), SESSION, user())
    assert (caller.kind, caller.id, caller.accountable_id) == ("client", "client-1", "user-1")
    assert (caller.scopes, caller.roles, caller.procedure_version) == (("cases:read",), (), "1")


@pytest.mark.parametrize(
    ("what", "accountable", "how", "refusal"),
    [
        ({"state": "deleted"}, {}, {}, Unauthenticated),
        ({"expires_at": NOW}, {}, {}, Unauthenticated),
        ({"networks": ("10.9.0.0/16",)}, {}, {}, Unauthenticated),
        ({}, {}, {"police": "suspended"}, AgencySuspended),
        ({}, {"state": "disabled"}, {}, AccountDisabled),
        ({}, {"agency_id": "elsewhere"}, {}, AccountDisabled),
        ({}, {"signature": None}, {}, ProcedureUnsigned),
        ({"scopes": ("directory:read",)}, {}, {}, RoleRequired),
    ],
)
def test_why_a_client_is_refused(what: Any, accountable: Any, how: Any, refusal: Any) -> None:
    with pytest.raises(refusal) as refused:
        judge_client(asked(standing=standing(**how).on(TODAY)), client(**what), SESSION, user(**accountable))
    assert type(refused.value) is refusal


def test_a_client_without_an_accountable_person_is_refused() -> None:
    with pytest.raises(AccountDisabled):
        judge_client(asked(), client(), SESSION, None)


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({}, PasswordChangeRequired),
        ({"federated": True}, TotpNotEnrolled),
        ({"federated": True, "strong": True}, None),
    ],
)
def test_what_a_provider_vouches_for_counts_in_the_session_that_it_began(how: Any, refusal: Any) -> None:
    officer, session = user(must_change=True, has_totp=False), replace(SESSION, **how)
    if refusal is None:
        assert judge_user(asked(), officer, session).id == "user-1"
    else:
        with pytest.raises(refusal):
            judge_user(asked(), officer, session)


def test_a_system_that_provisions_is_known_by_its_secret_alone_and_does_nothing_else() -> None:
    system = client(scopes=("provisioning",), networks=("10.0.0.0/8",))
    caller = judge_provisioner(asked("sharing", "change_provisioned"), system)
    assert (caller.kind, caller.scopes, caller.session_id) == ("client", ("provisioning",), None)
    for method in ("list_users", "me", "list_directory", "patch_user"):
        with pytest.raises(RoleRequired):
            judge_provisioner(asked("sharing", method), system)
    # Who leaves meanwhile must not be back when the agency is: its system may say so only once.
    shut = standing(police="suspended").on(TODAY)
    assert judge_provisioner(asked("sharing", "change_provisioned", standing=shut), system).id == caller.id
    for wrong in (
        {"scopes": ("cases:read",)},
        {"state": "deleted"},
        {"expires_at": NOW},
        {"networks": ("192.0.2.0/24",)},
    ):
        with pytest.raises(Unauthenticated):
            judge_provisioner(asked("sharing", "change_provisioned"), replace(system, **wrong))


def test_what_disables_accounts_has_no_other_scope() -> None:
    check_scopes(("provisioning",))
    check_scopes(("cases:read", "subscriptions"))
    with pytest.raises(Invalid) as refused:
        check_scopes(("provisioning", "cases:read"))
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/scopes", "provisioning_alone")]


def test_a_role_beyond_the_agency_ends_what_its_provider_has_vouched_for() -> None:
    beyond = user(roles=(Appointment("practitioner"), Appointment("security_manager")))
    assert judge_user(asked(), beyond, SESSION).id == beyond.id
    with pytest.raises(Unauthenticated):
        judge_user(asked(), beyond, replace(SESSION, federated=True))
