"""Methods of `sharing`."""

from __future__ import annotations

from .permit import ANY_SCOPE, CASEWORKERS, EVERYBODY, TASKWORKERS, Permit

_OPERATOR = Permit(frozenset({"system_operator"}), founding=True)
_ADMIN = Permit(frozenset({"agency_admin", "system_operator"}), founding=True)
_OWN_ADMIN = Permit(frozenset({"agency_admin"}))
_SECURITY = Permit(frozenset({"security_manager"}), founding=True)
_ALL = Permit(EVERYBODY, ANY_SCOPE)
_PROVISIONING = Permit(frozenset(), frozenset({"provisioning"}))
"""No role may: an administrator has people's accounts by other paths."""
_ACCOUNT = Permit(EVERYBODY, before=True)
_OWNER = Permit(CASEWORKERS, level="own")
_ANSWERABLE = Permit(CASEWORKERS | {"agency_dpo", "partnership_dpo"}, level="know")
"""An owner, or an officer who answers for the case: which, `sharing` finds out."""

PERMITS = {
    # own account: before everything else
    "current_session": Permit(EVERYBODY, _ALL.scopes, before=True),
    "end_current_session": Permit(EVERYBODY, _ALL.scopes, before=True),
    "me": Permit(EVERYBODY, _ALL.scopes, before=True),
    "change_password": _ACCOUNT,
    "start_totp": _ACCOUNT,
    "confirm_totp": _ACCOUNT,
    "begin_passkey": _ACCOUNT,
    "add_passkey": _ACCOUNT,
    "list_passkeys": _ACCOUNT,
    "remove_passkey": Permit(EVERYBODY),
    "list_sessions": _ACCOUNT,
    "end_session": _ACCOUNT,
    "current_procedure": _ACCOUNT,
    "sign_procedure": _ACCOUNT,
    "step_up": Permit(EVERYBODY),
    "begin_step_up": Permit(EVERYBODY),
    # procedures
    "publish_procedure": _SECURITY,
    "list_procedures": Permit(EVERYBODY),
    # agencies and protocols
    "create_agency": _OPERATOR,
    "list_agencies": _ALL,
    "get_agency": _ALL,
    "patch_agency": _ADMIN,  # who may change what of it, sharing finds out
    "move_agency": _OPERATOR,
    "create_protocol": _OPERATOR,
    "list_protocols": _ALL,
    "get_protocol": _ALL,
    "patch_protocol": _OPERATOR,
    "move_protocol": _OPERATOR,
    # people, teams, clients: the operator appoints first administrators, administrators their own agency's
    "invite_user": _ADMIN,
    "list_users": _ADMIN,
    "get_user": _ADMIN,
    "patch_user": _ADMIN,
    "reset_user": _ADMIN,
    "record_training": _OWN_ADMIN,
    "list_trainings": Permit(EVERYBODY),
    "register_device": _OWN_ADMIN,
    "list_devices": _OWN_ADMIN,
    "get_device": _OWN_ADMIN,
    "patch_device": _OWN_ADMIN,
    "enrol_device": Permit(EVERYBODY),
    # the agency's own identity provider, and its identity system
    "get_identity_provider": _OWN_ADMIN,
    "put_identity_provider": _OWN_ADMIN,
    "remove_identity_provider": _OWN_ADMIN,
    "list_provisioned": _PROVISIONING,
    "get_provisioned": _PROVISIONING,
    "change_provisioned": _PROVISIONING,
    "remove_provisioned": _PROVISIONING,
    "create_team": _OWN_ADMIN,
    "list_teams": Permit(EVERYBODY),
    "get_team": Permit(EVERYBODY),
    "patch_team": _OWN_ADMIN,
    "create_client": _OWN_ADMIN,
    "list_clients": _OWN_ADMIN,
    "get_client": _OWN_ADMIN,
    "patch_client": _OWN_ADMIN,
    "delete_client": _OWN_ADMIN,
    "rotate_secret": _OWN_ADMIN,
    # whom one can name
    "list_directory": Permit(EVERYBODY, frozenset({"directory:read"})),
    "search_directory": Permit(EVERYBODY, frozenset({"directory:read"})),
    # shares
    "share_case": _OWNER,
    "check_share": _OWNER,
    # A recipient sees the share that names it, and may hand it back; the rest is the owner's.
    "list_shares": Permit(CASEWORKERS, level="know"),
    "get_share": Permit(CASEWORKERS, level="know"),
    "change_share": Permit(CASEWORKERS, level="know"),
    "revoke_share": _OWNER,
    "list_access": _OWNER,
    # The owner, and DPOs: whose case it is `sharing` finds out; to all others there is none.
    "explain": Permit(EVERYBODY),
    # Confirming that it is still needed: people by their agency, shares by the owner. A data protection
    # officer sees what is overdue.
    "list_users_to_certify": Permit(frozenset({"agency_admin", "agency_dpo"})),
    "certify_user": _OWN_ADMIN,
    "list_shares_to_certify": Permit(CASEWORKERS | {"agency_dpo"}),
    "certify_share": _OWNER,
    # Asking the owner of a case that one knows of; who asked sees what came of it.
    "request_access": Permit(CASEWORKERS, level="know"),
    "list_access_requests": Permit(CASEWORKERS, level="know"),
    "answer_access_request": _OWNER,
    # Transfers: the addressee decides. An administrator finds a new owner where the owner cannot act: that it
    # may is found out by `sharing`.
    "offer_transfer": _OWNER,
    "list_transfers": Permit(CASEWORKERS, level="know"),
    "decide_transfer": Permit(CASEWORKERS, level="know"),
    "list_ownerless": _OWN_ADMIN,
    # conflicts of interest, and access without a share. Whoever breaks glass need not know of the case; but
    # that it misses one is counted as of a case, and told as of a case.
    "declare_conflict": Permit(TASKWORKERS, level="know"),
    "list_conflicts": _OWNER,
    "withdraw_conflict": _OWNER,
    "break_glass": Permit(CASEWORKERS, level="know"),
    "list_glasses": _ANSWERABLE,
    "review_glass": _ANSWERABLE,
}
