"""`concordat import users`: rows as invitations.

Columns (in any order; spelt in any case)
    username, name, email    required
    job_title
    teams                    names of the agency's teams, separated by `;`
    roles                    such as `practitioner;supervisor`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.importing.tables import Cells, Kind, RowProblem

_COLUMNS = {name: name for name in ("username", "name", "email", "job_title", "teams", "roles")}
_TAKEN = frozenset({"already_exists", "username_taken", "taken"})


def users(agency_id: str, teams: Mapping[str, str]) -> Kind:
    """People of this agency; `teams` are its teams' ids by name."""
    known = {name.casefold(): team_id for name, team_id in teams.items()}

    def body(fields: Cells) -> dict[str, Any]:
        for name in ("name", "email"):
            if name not in fields:
                raise RowProblem("required", f"/{name}", f"Column {name} is empty.")
        found: dict[str, Any] = {name: fields[name] for name in ("username", "name", "email")}
        if "job_title" in fields:
            found["job_title"] = fields["job_title"]
        found["agency_id"] = agency_id
        found["team_ids"] = [_team(known, name, place) for place, name in enumerate(_listed(fields, "teams"))]
        found["roles"] = [{"role": role} for role in _listed(fields, "roles")]
        return found

    return Kind("/users", _COLUMNS, "username", body, already=_TAKEN)


def _listed(fields: Cells, name: str) -> list[str]:
    return [one.strip() for one in fields.get(name, "").split(";") if one.strip()]


def _team(known: Mapping[str, str], name: str, place: int) -> str:
    team_id = known.get(name.casefold())
    if team_id is None:
        raise RowProblem("unknown_team", f"/team_ids/{place}", "The agency has no team of this name.")
    return team_id
