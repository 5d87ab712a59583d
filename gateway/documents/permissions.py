"""`docs/permissions.md`: role by method by path, from the route table and the permits that services obey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from gateway.operations import Operation, Special
from gateway.routes import PREFIX, ROUTES
from services.contracts.permissions import permit_of
from services.contracts.permissions.permit import Permit
from services.contracts.vocabulary import Role

ROLES: tuple[Role, ...] = get_args(Role)
_INTRO = """# Who may do what

Generated from the route table and the permits (`python -m gateway.documents`); do not edit. Paths are under
`/api/v1`.

- **●** the role may ask; **◐** it may ask, and the answer depends on the caller's access to the case: without
  any the case does not exist (404); below the level in the column *on the case* it is 403 `level_too_low`, or
  `not_owner` where that says *owner*. An empty cell is 403 `role_required`; about a case only to those who
  may know of it, to everybody else 404. A user with several roles may do what any of them may.
- *client*: the scopes of which a client needs one; empty: no client may.
- *first*: also before the password is changed, the authenticator enrolled and the procedure signed.
- *found*: also while no procedure is published: what it takes to appoint who writes it.
"""


def document() -> str:
    """The whole page."""
    return "\n".join((_INTRO, _head(), *_rows())) + "\n"


def _head() -> str:
    roles = (role.replace("_", " ") for role in ROLES)
    names = ["Method", "Path", *roles, "client", "on the case", "first", "found"]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _rows() -> Iterator[str]:
    for route in ROUTES:
        path = f"`{route.path.removeprefix(PREFIX)}`"
        for verb, entry in route.methods.items():
            yield f"| {' | '.join((verb, path, *_cells(entry)))} |"


def _cells(entry: Operation | Special) -> Iterator[str]:
    if isinstance(entry, Special) and entry.open:
        yield from ("●" for _ in ROLES)
        yield from ("no session needed", "", "●", "●")
        return
    permits = permits_of(entry)
    for role in ROLES:
        allowed = [permit for permit in permits if permit.roles is None or role in permit.roles]
        yield "" if not allowed else ("◐" if any(permit.level for permit in allowed) else "●")
    scopes = sorted({scope for permit in permits for scope in permit.scopes})
    levels = [str(permit.level) for permit in permits if permit.level]
    yield ", ".join(f"`{scope}`" for scope in scopes)
    yield "owner" if "own" in levels else (levels[0] if levels else "")
    yield "●" if all(permit.before for permit in permits) else ""
    yield "●" if all(permit.founding or permit.before for permit in permits) else ""


def permits_of(entry: Operation | Special) -> list[Permit]:
    """Of every method that the entry asks. Raises LookupError for one that no user may ask for."""
    asks = ((entry.service, entry.method),) if isinstance(entry, Operation) else entry.asks
    found = [permit_of(service, method) for service, method in asks]
    if None in found:
        raise LookupError(f"no permit for one of {asks}")
    return [permit for permit in found if permit is not None]
