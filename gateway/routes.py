"""Every path of the API and what each of its methods asks of which service.

From this table come the application's routes, `/openapi.json`, `docs/permissions.md` and the matrix check.
Paths are under `/api/v1`; names in braces are fields of the request models. What is fixed for clients (paths,
codes, bodies) stands in `api.md` of the project's shared papers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.operations import Entry, Operation, Route, Special
from gateway.searching import SearchBody
from services.contracts import audit, notify, reviews, statements, subscriptions, witnesses
from services.contracts.cases import cases, chronology, entries, links, subjects, tasks
from services.contracts.sharing import (
    account,
    agencies,
    asking,
    certifying,
    clients,
    conflicts,
    devices,
    directory,
    explain,
    glass,
    identity_providers,
    passkeys,
    people,
    procedures,
    protocols,
    sessions,
    shares,
    teams,
    trainings,
    transfers,
)
from services.contracts.views import Empty

PREFIX = "/api/v1"
_FROM_TO: Mapping[str, str] = MappingProxyType({"from": "since", "to": "until"})


def _s(method: str, *more: object, **options: object) -> Operation:
    return Operation("sharing", method, *more, **options)  # type: ignore[arg-type]


def _c(method: str, *more: object, **options: object) -> Operation:
    return Operation("cases", method, *more, **options)  # type: ignore[arg-type]


def _a(method: str, *more: object, **options: object) -> Operation:
    return Operation("audit", method, *more, **options)  # type: ignore[arg-type]


def _n(method: str, *more: object, **options: object) -> Operation:
    return Operation("notify", method, *more, **options)  # type: ignore[arg-type]


def _scim(summary: str, method: str, status: int = 200) -> Special:
    return Special(summary, (("sharing", method),), status=status, media="application/scim+json")


_TABLE: dict[str, dict[str, Entry]] = {
    # --- sessions and the own account ---
    "/sessions": {
        "POST": Special(
            "Log in, as a person or as a client.",
            (("sharing", "log_in"),),
            sessions.Credentials,
            sessions.SessionCreated,
            201,
            open=True,
        )
    },
    "/sessions/current": {
        "GET": _s("current_session", sessions.GetCurrentSession, sessions.SessionView),
        "DELETE": _s("end_current_session", sessions.EndCurrentSession, Empty, 204),
    },
    "/sessions/challenges": {
        "POST": Special(
            "Ask an account's passkeys, to log in with the answer.",
            (("sharing", "begin_log_in"),),
            passkeys.PasskeyCredentials,
            passkeys.PasskeyChallenge,
            201,
            open=True,
        )
    },
    "/sessions/current/challenges": {
        "POST": _s("begin_step_up", passkeys.BeginStepUp, passkeys.PasskeyChallenge, 201)
    },
    "/sessions/current/step-ups": {"POST": _s("step_up", sessions.StepUp, sessions.SteppedUp, 201)},
    "/activations": {
        "POST": Special(
            "Activate an account with the token from the invitation, or after a reset.",
            (("sharing", "activate"),),
            people.ActivationBody,
            people.Activated,
            201,
            open=True,
        )
    },
    "/me": {"GET": _s("me", account.GetMe, account.Me)},
    "/me/password": {"PUT": _s("change_password", account.ChangePassword, Empty, 204)},
    "/me/totp": {
        "POST": _s("start_totp", account.StartTotp, account.TotpStarted, 201),
        "PUT": _s("confirm_totp", account.ConfirmTotp, account.RecoveryCodes),
    },
    "/me/passkeys": {
        "GET": _s("list_passkeys", passkeys.ListPasskeys, passkeys.PasskeyPage),
        "POST": _s("add_passkey", passkeys.AddPasskey, passkeys.PasskeyView, 201),
    },
    "/me/passkeys/challenges": {
        "POST": _s("begin_passkey", passkeys.BeginPasskey, passkeys.PasskeyEnrolment, 201)
    },
    "/me/passkeys/{passkey_id}": {"DELETE": _s("remove_passkey", passkeys.RemovePasskey, Empty, 204)},
    "/me/sessions": {"GET": _s("list_sessions", sessions.ListSessions, sessions.SessionPage)},
    "/me/sessions/{session_id}": {"DELETE": _s("end_session", sessions.EndSession, Empty, 204)},
    "/me/consultations": {
        "GET": _a("list_own_consultations", audit.ListOwnConsultations, audit.OwnConsultations)
    },
    # --- the procedure ---
    "/procedures": {
        "GET": _s("list_procedures", procedures.ListProcedures, procedures.ProcedurePage),
        "POST": _s("publish_procedure", procedures.PublishProcedure, procedures.ProcedureView, 201),
    },
    "/procedures/current": {
        "GET": _s("current_procedure", procedures.GetCurrentProcedure, procedures.CurrentProcedure)
    },
    "/procedures/current/signatures": {
        "POST": _s("sign_procedure", procedures.SignProcedure, procedures.SignatureView, 201)
    },
    # --- who takes part ---
    "/agencies": {
        "GET": _s("list_agencies", agencies.ListAgencies, agencies.AgencyPage),
        "POST": _s("create_agency", agencies.CreateAgency, agencies.AgencyView, 201),
    },
    "/agencies/{agency_id}": {
        "GET": _s("get_agency", agencies.GetAgency, agencies.AgencyView),
        "PATCH": _s("patch_agency", agencies.PatchAgency, agencies.AgencyView),
    },
    "/agencies/{agency_id}/identity-provider": {
        "GET": _s(
            "get_identity_provider",
            identity_providers.GetIdentityProvider,
            identity_providers.IdentityProviderView,
        ),
        "PUT": _s(
            "put_identity_provider",
            identity_providers.PutIdentityProvider,
            identity_providers.IdentityProviderView,
        ),
        "DELETE": _s("remove_identity_provider", identity_providers.RemoveIdentityProvider, Empty, 204),
    },
    "/agencies/{agency_id}/transitions": {
        "POST": _s("move_agency", agencies.MoveAgency, agencies.AgencyView)
    },
    "/protocols": {
        "GET": _s("list_protocols", protocols.ListProtocols, protocols.ProtocolPage),
        "POST": _s("create_protocol", protocols.CreateProtocol, protocols.ProtocolView, 201),
    },
    "/protocols/{protocol_id}": {
        "GET": _s("get_protocol", protocols.GetProtocol, protocols.ProtocolView),
        "PATCH": _s("patch_protocol", protocols.PatchProtocol, protocols.ProtocolView),
    },
    "/protocols/{protocol_id}/transitions": {
        "POST": _s("move_protocol", protocols.MoveProtocol, protocols.ProtocolView)
    },
    "/users": {
        "GET": _s("list_users", people.ListUsers, people.UserPage),
        "POST": _s("invite_user", people.InviteUser, people.UserInvited, 201),
    },
    "/users/{user_id}": {
        "GET": _s("get_user", people.GetUser, people.UserView),
        "PATCH": _s("patch_user", people.PatchUser, people.UserView),
    },
    "/users/{user_id}/resets": {"POST": _s("reset_user", people.ResetUser, people.UserReset, 201)},
    "/users/{user_id}/trainings": {
        "GET": _s("list_trainings", trainings.ListTrainings, trainings.TrainingPage),
        "POST": _s("record_training", trainings.RecordTraining, trainings.TrainingView, 201),
    },
    "/users/{user_id}/certifications": {
        "POST": _s("certify_user", certifying.CertifyUser, certifying.UserCertified, 201)
    },
    "/certifications/users": {
        "GET": _s("list_users_to_certify", certifying.ListUsersToCertify, certifying.UsersToCertify)
    },
    "/certifications/shares": {
        "GET": _s("list_shares_to_certify", certifying.ListSharesToCertify, certifying.SharesToCertify)
    },
    "/teams": {
        "GET": _s("list_teams", teams.ListTeams, teams.TeamPage),
        "POST": _s("create_team", teams.CreateTeam, teams.TeamView, 201),
    },
    "/teams/{team_id}": {
        "GET": _s("get_team", teams.GetTeam, teams.TeamView),
        "PATCH": _s("patch_team", teams.PatchTeam, teams.TeamView),
    },
    "/devices": {
        "GET": _s("list_devices", devices.ListDevices, devices.DevicePage),
        "POST": _s("register_device", devices.RegisterDevice, devices.DeviceRegistered, 201),
    },
    "/devices/enrolments": {
        "POST": Special(
            "Make a registered device of this browser or program: the answer sets a cookie that proves it.",
            (("sharing", "enrol_device"),),
            devices.EnrolmentBody,
            devices.DeviceView,
            201,
        )
    },
    "/devices/{device_id}": {
        "GET": _s("get_device", devices.GetDevice, devices.DeviceView),
        "PATCH": _s("patch_device", devices.PatchDevice, devices.DeviceView),
    },
    "/clients": {
        "GET": _s("list_clients", clients.ListClients, clients.ClientPage),
        "POST": _s("create_client", clients.CreateClient, clients.ClientCreated, 201),
    },
    "/clients/{client_id}": {
        "GET": _s("get_client", clients.GetClient, clients.ClientView),
        "PATCH": _s("patch_client", clients.PatchClient, clients.ClientView),
        "DELETE": _s("delete_client", clients.DeleteClient, Empty, 204),
    },
    "/clients/{client_id}/secrets": {
        "POST": _s("rotate_secret", clients.RotateSecret, clients.SecretRotated, 201)
    },
    "/directory": {"GET": _s("list_directory", directory.ListDirectory, directory.DirectoryPage)},
    "/searches": {
        "POST": Special(
            "Search the directory, the cases that one may see, or subjects.",
            (("sharing", "search_directory"), ("cases", "search_cases"), ("cases", "search_subjects")),
            SearchBody,
            directory.DirectoryPage | cases.CasePage | subjects.SubjectPage,
        )
    },
    # --- an agency's identity system: SCIM 2.0, whose bodies and errors are SCIM's own ---
    "/scim/v2/Users": {
        "GET": _scim("People of the own agency, as its identity system sees them.", "list_provisioned"),
        "POST": _scim("Refused: people are invited by administrators.", "list_provisioned"),
    },
    "/scim/v2/Users/{person_id}": {
        "GET": _scim("One person.", "get_provisioned"),
        "PUT": _scim("Disable the account (active false) or enable it again.", "change_provisioned"),
        "PATCH": _scim("The same, by operations.", "change_provisioned"),
        "DELETE": _scim("Disable the account, for good as far as SCIM goes.", "remove_provisioned", 204),
    },
    "/scim/v2/ServiceProviderConfig": {"GET": _scim("What can be done here.", "list_provisioned")},
    "/scim/v2/ResourceTypes": {"GET": _scim("Which resources there are.", "list_provisioned")},
    "/scim/v2/Schemas": {"GET": _scim("What they consist of.", "list_provisioned")},
    # --- subjects ---
    "/subjects": {
        "GET": _c("list_subjects", subjects.ListSubjects, subjects.SubjectPage),
        "POST": _c("create_subject", subjects.CreateSubject, subjects.SubjectView, 201),
    },
    "/subjects/{subject_id}": {
        "GET": _c("get_subject", subjects.GetSubject, subjects.SubjectView),
        "PATCH": _c("patch_subject", subjects.PatchSubject, subjects.SubjectView),
    },
    "/subjects/{subject_id}/chronology": {
        "GET": _c("get_chronology", chronology.GetChronology, chronology.ChronologyPage)
    },
    "/subjects/{subject_id}/links": {
        "GET": _c("list_links", links.ListLinks, links.LinkPage),
        "POST": _c("create_link", links.CreateLink, links.LinkView, 201),
    },
    "/subjects/{subject_id}/links/{link_id}": {
        "PATCH": _c("patch_link", links.PatchLink, links.LinkView),
        "DELETE": _c("delete_link", links.DeleteLink, Empty, 204),
    },
    # --- cases ---
    "/cases": {
        "GET": _c("list_cases", cases.ListCases, cases.CasePage),
        "POST": _c("create_case", cases.CreateCase, cases.CaseView, 201),
    },
    "/cases/{case_id}": {
        "GET": _c("get_case", cases.GetCase, cases.CaseView, hidden=frozenset({"include"})),
        "PATCH": _c("patch_case", cases.PatchCase, cases.CaseView),
    },
    "/cases/{case_id}/transitions": {"POST": _c("move_case", cases.MoveCase, cases.CaseView)},
    "/cases/{case_id}/subjects/{subject_id}": {
        "PUT": _c("put_case_subject", cases.PutCaseSubject, cases.CaseView),
        "DELETE": _c("remove_case_subject", cases.RemoveCaseSubject, Empty, 204),
    },
    "/cases/{case_id}/entries": {
        "GET": _c("list_entries", entries.ListEntries, entries.EntryPage),
        "POST": _c("add_entry", entries.AddEntry, entries.EntryView, 201),
    },
    "/cases/{case_id}/entries/{entry_id}": {
        "GET": _c("get_entry", entries.GetEntry, entries.EntryView),
        "PATCH": _c("revise_entry", entries.ReviseEntry, entries.EntryView),
    },
    "/cases/{case_id}/entries/{entry_id}/withdrawal": {
        "POST": _c("withdraw_entry", entries.WithdrawEntry, entries.EntryView)
    },
    "/cases/{case_id}/tasks": {
        "GET": _c("list_tasks", tasks.ListTasks, tasks.TaskPage),
        "POST": _c("add_task", tasks.AddTask, tasks.TaskView, 201),
    },
    "/cases/{case_id}/tasks/{task_id}": {
        "GET": _c("get_task", tasks.GetTask, tasks.TaskView),
        "PATCH": _c("change_task", tasks.ChangeTask, tasks.TaskView),
    },
    "/tasks": {"GET": _c("my_tasks", tasks.MyTasks, tasks.TaskPage)},
    # --- who may see a case ---
    "/cases/{case_id}/shares": {
        "GET": _s("list_shares", shares.ListShares, shares.SharePage),
        "POST": _s("share_case", shares.ShareCase, shares.ShareView, 201),
    },
    "/cases/{case_id}/shares/preview": {
        "POST": Special(
            "Judge a share without making it: what would be granted, and what its members would see.",
            (("sharing", "check_share"), ("cases", "preview_case")),
            shares.ShareBody,
            shares.ShareChecked,
        )
    },
    "/cases/{case_id}/shares/{share_id}": {
        "GET": _s("get_share", shares.GetShare, shares.ShareView),
        "PATCH": _s("change_share", shares.ChangeShare, shares.ShareView),
        "DELETE": _s("revoke_share", shares.RevokeShare, Empty, 204),
    },
    "/cases/{case_id}/shares/{share_id}/certifications": {
        "POST": _s("certify_share", certifying.CertifyShare, certifying.ShareCertified, 201)
    },
    "/cases/{case_id}/access-requests": {
        "GET": _s("list_access_requests", asking.ListAccessRequests, asking.AccessRequestPage),
        "POST": _s("request_access", asking.RequestAccess, asking.AccessRequestView, 201),
    },
    "/cases/{case_id}/access-requests/{request_id}": {
        "PATCH": _s("answer_access_request", asking.AnswerAccessRequest, asking.AccessRequestView)
    },
    "/cases/{case_id}/transfers": {
        "GET": _s("list_transfers", transfers.ListTransfers, transfers.TransferPage),
        "POST": _s("offer_transfer", transfers.OfferTransfer, transfers.TransferView, 201),
    },
    "/cases/{case_id}/transfers/{transfer_id}": {
        "PATCH": _s("decide_transfer", transfers.DecideTransfer, transfers.TransferView)
    },
    "/ownerless-cases": {"GET": _s("list_ownerless", transfers.ListOwnerless, transfers.OwnerlessPage)},
    "/cases/{case_id}/access": {"GET": _s("list_access", shares.ListAccess, shares.AccessPage)},
    "/cases/{case_id}/consultations": {
        "GET": _a("list_case_consultations", audit.ListCaseConsultations, audit.Consultations)
    },
    "/access/explain": {"POST": _s("explain", explain.Explain, explain.Explanation, query=True)},
    "/cases/{case_id}/break-glass": {
        "GET": _s("list_glasses", glass.ListGlasses, glass.GlassPage),
        "POST": _s("break_glass", glass.BreakGlass, glass.GlassBroken, 201),
    },
    "/cases/{case_id}/break-glass/{glass_id}": {
        "PATCH": _s("review_glass", glass.ReviewGlass, glass.GlassView)
    },
    "/cases/{case_id}/conflicts": {
        "GET": _s("list_conflicts", conflicts.ListConflicts, conflicts.ConflictPage),
        "POST": _s("declare_conflict", conflicts.DeclareConflict, conflicts.ConflictView, 201),
    },
    "/cases/{case_id}/conflicts/{conflict_id}": {
        "DELETE": _s("withdraw_conflict", conflicts.WithdrawConflict, Empty, 204)
    },
    # --- who is told ---
    "/stream": {
        "GET": Special(
            "What happens, as it happens: server-sent events, each authorised before it is written.",
            (("notify", "stream_items"),),
            None,
            notify.ThinEvent,
            media="text/event-stream",
        )
    },
    "/inbox": {"GET": _n("list_inbox", notify.ListInbox, notify.Inbox)},
    "/inbox/{item_id}": {"PATCH": _n("mark_item", notify.MarkItem, notify.InboxItemView)},
    "/inbox/read-marks": {"POST": _n("mark_read", notify.MarkRead, notify.ReadMarked)},
    "/subscriptions": {
        "GET": _n("list_subscriptions", subscriptions.ListSubscriptions, subscriptions.Subscriptions),
        "POST": _n("create_subscription", subscriptions.CreateSubscription, subscriptions.Subscription, 201),
    },
    "/subscriptions/{subscription_id}": {
        "GET": _n("get_subscription", subscriptions.GetSubscription, subscriptions.Subscription),
        "PATCH": _n("patch_subscription", subscriptions.PatchSubscription, subscriptions.Subscription),
        "DELETE": _n("delete_subscription", subscriptions.DeleteSubscription, Empty, 204),
    },
    "/subscriptions/{subscription_id}/deliveries": {
        "GET": _n("list_deliveries", subscriptions.ListDeliveries, subscriptions.Deliveries)
    },
    "/subscriptions/{subscription_id}/deliveries/{delivery_id}/attempts": {
        "POST": _n("send_again", subscriptions.SendAgain, subscriptions.DeliveryView, 202)
    },
    # --- the log ---
    "/audit/entries": {"GET": _a("list_entries", audit.ListEntries, audit.EntryList, names=_FROM_TO)},
    "/audit/entries/{entry_id}": {"GET": _a("get_entry", audit.GetEntry, audit.EntryView)},
    "/audit/entries/{entry_id}/proof": {"GET": _a("get_proof", audit.GetProof, audit.Proof)},
    "/audit/entries/{entry_id}/receipt": {
        "GET": _a("get_receipt", statements.GetReceipt, statements.Receipt)
    },
    "/audit/checkpoints/latest": {"GET": _a("latest_checkpoint", audit.LatestCheckpoint, audit.Checkpoint)},
    "/audit/checkpoints": {
        "GET": _a("list_checkpoints", witnesses.ListCheckpoints, witnesses.CheckpointList)
    },
    "/audit/cosignatures": {
        "POST": _a("add_cosignature", witnesses.AddCosignature, witnesses.Cosigned, query=True)
    },
    "/audit/consistency": {"GET": _a("get_consistency", audit.GetConsistency, audit.Consistency)},
    "/audit/keys": {"GET": _a("list_keys", audit.ListKeys, audit.KeyList)},
    "/audit/export": {
        "GET": Special(
            "The log, one JSON object a line, the last one its checkpoint.",
            (("audit", "export_entries"),),
            media="application/x-ndjson",
        )
    },
    "/audit/statements": {
        "GET": _a("list_statements", statements.ListStatements, statements.StatementList),
        "POST": _a("issue_statement", statements.IssueStatement, statements.StatementView, 201),
    },
    "/audit/statements/preview": {
        "GET": _a("preview_statement", statements.PreviewStatement, statements.StatementPreview)
    },
    "/audit/statements/{statement_id}": {
        "GET": Special(
            "A statement as a file: what the verifier checks.",
            (("audit", "get_statement"),),
            None,
            statements.StatementFile,
        )
    },
    "/audit/reviews": {"GET": _a("list_reviews", reviews.ListReviews, reviews.ReviewList)},
    "/audit/reviews/{review_id}": {"PATCH": _a("decide_review", reviews.DecideReview, reviews.ReviewView)},
    "/audit/usage": {"GET": _a("get_usage", reviews.GetUsage, reviews.Usage)},
}

ROUTES: tuple[Route, ...] = tuple(Route(PREFIX + path, methods) for path, methods in _TABLE.items())
