"""Every path of the web client and the page that answers it."""

from __future__ import annotations

from typing import Any

import falcon.asgi

from gateway.asking import Asking
from gateway.changes import LiveChanges
from gateway.web.assets import Assets
from gateway.web.live import Live
from gateway.web.page import NotFound, Page, Site
from gateway.web.pages import (
    account,
    administration,
    agencies,
    asking,
    audit,
    cases,
    casework,
    certifying,
    clients,
    devices,
    entries,
    glass,
    inbox,
    logging_in,
    new_case,
    new_share,
    oversight,
    ownerless,
    places,
    procedures,
    protocols,
    sharing,
    statements,
    tasks,
    trainings,
    transfers,
    why,
)
from gateway.web.templating import Templates

PAGES: dict[str, type[Page]] = {
    "/": logging_in.Start,
    "/log-in": logging_in.LogInPage,
    "/log-out": logging_in.LogOut,
    "/activate": logging_in.Activation,
    "/account": account.Account,
    "/account/password": account.Password,
    "/account/totp": account.Totp,
    "/account/device": devices.ThisDevice,
    "/account/step-up": devices.StepUpPage,
    "/account/sessions/{session_id}/end": account.EndOneSession,
    "/account/consultations": account.Consultations,
    "/procedure": account.Procedure,
    "/inbox": inbox.Inbox,
    "/inbox/read": inbox.Read,
    "/tasks": cases.Tasks,
    "/reasons": cases.Reason,
    "/cases": cases.Cases,
    "/cases/search": cases.Search,
    "/cases/new": new_case.NewCase,
    "/cases/{case_id}": cases.Case,
    "/cases/{case_id}/edit": casework.EditCase,
    "/cases/{case_id}/status": casework.MoveStatus,
    "/cases/{case_id}/subjects/new": casework.AddSubject,
    "/cases/{case_id}/subjects/{subject_id}": casework.SubjectRole,
    "/cases/{case_id}/entries/new": entries.NewEntry,
    "/cases/{case_id}/entries/{entry_id}": entries.OneEntry,
    "/cases/{case_id}/entries/{entry_id}/correct": entries.CorrectEntry,
    "/cases/{case_id}/entries/{entry_id}/withdraw": entries.WithdrawOne,
    "/cases/{case_id}/tasks/new": tasks.NewTask,
    "/cases/{case_id}/tasks/{task_id}": tasks.OneTask,
    "/cases/{case_id}/shares": sharing.Shares,
    "/cases/{case_id}/shares/new": new_share.NewShare,
    "/cases/{case_id}/shares/{share_id}": sharing.OneShare,
    "/cases/{case_id}/shares/{share_id}/change": sharing.ChangeOne,
    "/cases/{case_id}/shares/{share_id}/revoke": sharing.Revoke,
    "/cases/{case_id}/shares/{share_id}/hand-back": sharing.HandBack,
    "/cases/{case_id}/shares/{share_id}/consent": transfers.ConfirmConsent,
    "/cases/{case_id}/access-requests": asking.AccessRequests,
    "/cases/{case_id}/access-requests/{request_id}": asking.AnswerOne,
    "/cases/{case_id}/transfers": transfers.Transfers,
    "/cases/{case_id}/transfers/new": transfers.OfferCase,
    "/cases/{case_id}/transfers/{transfer_id}/accept": transfers.Accept,
    "/cases/{case_id}/transfers/{transfer_id}/decline": transfers.Decline,
    "/cases/{case_id}/transfers/{transfer_id}/cancel": transfers.Cancel,
    "/cases/{case_id}/access": sharing.Access,
    "/access/why": why.Why,
    "/cases/{case_id}/consultations": sharing.Seen,
    "/cases/{case_id}/conflicts": glass.Conflicts,
    "/cases/{case_id}/conflicts/own": glass.OwnConflict,
    "/cases/{case_id}/conflicts/{conflict_id}/withdraw": glass.WithdrawOne,
    "/cases/{case_id}/emergency": glass.Emergency,
    "/cases/{case_id}/break-glass": glass.Glasses,
    "/cases/{case_id}/break-glass/{glass_id}": glass.Glass,
    "/subjects/{subject_id}": casework.Subject,
    "/administration": administration.Administration,
    "/administration/users": administration.Users,
    "/administration/users/new": administration.NewUser,
    "/administration/users/{user_id}": administration.OneUser,
    "/administration/users/{user_id}/state": administration.UserState,
    "/administration/users/{user_id}/reset": administration.ResetOne,
    "/administration/users/{user_id}/trainings": trainings.Trainings,
    "/administration/users/{user_id}/deputy": ownerless.Deputy,
    "/administration/ownerless": ownerless.Ownerless,
    "/administration/ownerless/{case_id}": ownerless.Appoint,
    "/administration/ownerless/{case_id}/{transfer_id}": ownerless.TakeBack,
    "/administration/certifications": certifying.CertifyUsers,
    "/certifications": certifying.CertifyShares,
    "/administration/teams": administration.Teams,
    "/administration/teams/new": administration.EditTeam,
    "/administration/teams/{team_id}": administration.EditTeam,
    "/administration/systems": clients.Clients,
    "/administration/systems/new": clients.EditClient,
    "/administration/systems/{client_id}": clients.EditClient,
    "/administration/systems/{client_id}/secret": clients.Rotate,
    "/administration/systems/{client_id}/remove": clients.RemoveClient,
    "/administration/devices": devices.Devices,
    "/administration/devices/new": devices.NewDevice,
    "/administration/devices/{device_id}": devices.OneDevice,
    "/administration/devices/{device_id}/revoke": devices.RevokeDevice,
    "/administration/agencies": agencies.Agencies,
    "/administration/agencies/new": agencies.NewAgency,
    "/administration/agencies/{agency_id}": agencies.OneAgency,
    "/administration/agencies/{agency_id}/state": agencies.AgencyState,
    "/administration/agencies/{agency_id}/places": places.Places,
    "/administration/protocols": protocols.Protocols,
    "/administration/protocols/new": protocols.NewProtocol,
    "/administration/protocols/{protocol_id}": protocols.OneProtocol,
    "/administration/protocols/{protocol_id}/state": protocols.ProtocolState,
    "/administration/procedures": procedures.Procedures,
    "/administration/procedures/new": procedures.NewProcedure,
    "/audit": audit.Audit,
    "/audit/entries/{entry_id}": audit.Entry,
    "/audit/checkpoint": audit.Checkpoint,
    "/audit/statements": statements.Statements,
    "/audit/statements/new": statements.NewStatement,
    "/audit/statements/{statement_id}": statements.Statement,
    "/audit/reviews": oversight.Reviews,
    "/audit/reviews/{review_id}": oversight.Review,
    "/audit/usage": oversight.Usage,
}
_NO_PAGE = r"/(?!api(?:/|$)|livez|readyz|metrics|openapi\.json|asyncapi\.json|static/)"


def add_pages(app: falcon.asgi.App[Any, Any], asking: Asking, changes: LiveChanges) -> None:
    """Add every page to `app`; what is neither a page nor of the API is answered with a page, too."""
    assets = Assets()
    site = Site(asking, Templates(assets), assets)
    for path, page in PAGES.items():
        app.add_route(path, page(site))
    app.add_route("/live", Live(asking, changes))
    app.add_route("/static/{version}/{name:path}", assets)
    app.add_sink(NotFound(site).on_any, _NO_PAGE)
