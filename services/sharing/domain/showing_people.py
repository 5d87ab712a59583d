"""Users as whoever looks after them sees them. Pure."""

from __future__ import annotations

from datetime import date

from services.contracts.sharing.people import RoleView
from services.sharing.domain.people import User
from services.sharing.domain.sign_ins import Provider


def user_fields(user: User, provider: Provider | None, today: date) -> dict[str, object]:
    """`provider`: by which the user's agency signs its people in, if by one."""
    refused = provider is not None and provider.refuses_password(user, today)
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "agency_id": user.agency_id,
        "job_title": user.job_title,
        "team_ids": user.team_ids,
        "deputy_id": user.deputy_id,
        "roles": tuple(
            RoleView(role=one.role, starts_on=one.starts_on, ends_on=one.ends_on) for one in user.roles
        ),
        "state": user.state,
        "system_may_enable": user.system_may_enable,
        "passwords": "refused" if refused else "allowed",
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
