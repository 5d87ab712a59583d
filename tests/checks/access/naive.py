"""The access decision a second time, written from the text of `domain.md` section 3 and `api.md` section 2.

It knows nothing of the product: worlds are plain dicts (`worlds.py` says their shape), and everything is
looked through in loops. It MUST NOT import the product's rule, and need not be fast.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

World = dict[str, Any]
LADDER = ["know", "task", "read", "contribute", "manage", "own"]
ALL_SECTIONS = [
    "summary",
    "subjects",
    "victim",
    "safe_contact",
    "timeline",
    "intelligence",
    "tasks",
    "risk",
    "documents",
]
NOT_FOR_PERPETRATORS = ["victim", "safe_contact"]


def london_day(world: World) -> date:
    now: datetime = world["now"]
    return now.astimezone(ZoneInfo("Europe/London")).date()


def protocol_is_active(world: World, protocol_id: str) -> bool:
    """`ends_on` is inclusive, Europe/London."""
    protocol = world["protocols"][protocol_id]
    if protocol["state"] != "active":
        return False
    return bool(protocol["starts_on"] <= london_day(world) <= protocol["ends_on"])


def agency_is_active(world: World, agency_id: str) -> bool:
    """The operator needs only its own state; every other agency a protocol in force as well."""
    agency = world["agencies"][agency_id]
    if agency["state"] != "active":
        return False
    if agency["type"] == "operator":
        return True
    for protocol_id, protocol in world["protocols"].items():
        if agency_id in protocol["parties"] and protocol_is_active(world, protocol_id):
            return True
    return False


def has_signed(world: World, person: World) -> bool:
    """The current procedure; the former signature holds until `sign_by`."""
    published = [one for one in world["procedures"] if one["effective_from"] <= world["now"]]
    if person["signed"] is None or not published:
        return False
    if person["signed"] < published[0]["version"]:
        return False
    for procedure in published:
        if procedure["version"] > person["signed"] and world["now"] >= procedure["sign_by"]:
            return False
    return True


def roles_today(world: World, person: World) -> list[str]:
    """Role assignments carry start and end (both inclusive) and end by themselves."""
    today, found = london_day(world), []
    for role in person["roles"]:
        begun = role["starts_on"] is None or role["starts_on"] <= today
        over = role["ends_on"] is not None and role["ends_on"] < today
        if begun and not over:
            found.append(role["role"])
    return found


def let_in_at_all(world: World, who: str) -> bool:
    """Active, of an active agency under an active protocol, the procedure signed."""
    if who in world["users"]:
        user = world["users"][who]
        return (
            user["state"] == "active" and agency_is_active(world, user["agency"]) and has_signed(world, user)
        )
    client = world["clients"][who]
    person = world["users"][client["accountable"]]
    return (
        client["state"] == "active"
        and world["now"] < client["expires_at"]
        and person["agency"] == client["agency"]
        and person["state"] == "active"
        and agency_is_active(world, client["agency"])
        and has_signed(world, person)
    )


def agency_of(world: World, who: str) -> str:
    kind = "users" if who in world["users"] else "clients"
    return str(world[kind][who]["agency"])


def share_names(world: World, share: World, who: str) -> bool:
    """Agency granted AND individual, team or client granted."""
    if share["agency"] != agency_of(world, who):
        return False
    if who in world["clients"]:
        return who in share["clients"]
    if who in share["users"]:
        return True
    return any(team in share["teams"] for team in world["users"][who]["teams"])


def share_is_in_force(world: World, share: World) -> bool:
    if share["expires_at"] is not None and not world["now"] < share["expires_at"]:
        return False
    if share["protocol"] is None:  # the own team's, or broken glass
        return True
    parties = world["protocols"][share["protocol"]]["parties"]
    return share["agency"] in parties and protocol_is_active(world, share["protocol"])


def grants(world: World, who: str, case: World) -> list[World] | None:
    """What lets this one in; None: nothing does, the case does not exist for it."""
    answering = world["clients"][who]["accountable"] if who in world["clients"] else who
    if who in case["conflicts"] or answering in case["conflicts"]:
        return None
    if not agency_is_active(world, case["owner_agency"]) or not agency_is_active(
        world, agency_of(world, who)
    ):
        return None
    if is_owner(world, who, case):
        return []
    found = [one for one in case["shares"] if share_names(world, one, who) and share_is_in_force(world, one)]
    return found or None


def is_owner(world: World, who: str, case: World) -> bool:
    return who == case["owner"] and agency_of(world, who) == case["owner_agency"]


def highest(world: World, who: str, case: World, section: str | None) -> str | None:
    """The highest level that any share grants: in this section, or at all."""
    if is_owner(world, who, case):
        return "own"
    best: str | None = None
    shares = grants(world, who, case) or []
    perpetrators = any(one["side"] == "perpetrator" for one in shares)
    for share in shares:
        if section is not None and section not in share["sections"]:
            continue
        if perpetrators and section in NOT_FOR_PERPETRATORS:
            continue
        if best is None or LADDER.index(share["level"]) > LADDER.index(best):
            best = share["level"]
    return best


def role_fits(world: World, who: str, kind: str) -> bool:
    """`kind`: read, write, task or owner."""
    if who in world["clients"]:
        scope = {"read": "cases:read", "task": "cases:read", "write": "cases:write", "owner": None}[kind]
        return scope in world["clients"][who]["scopes"]
    roles = roles_today(world, world["users"][who])
    wanted = ["practitioner", "supervisor"] + (["light_participant"] if kind == "task" else [])
    return any(role in wanted for role in roles)


def verdict(world: World, who: str, case: World, section: str | None, least: str, kind: str) -> str:
    """`allowed`, `door` (not let in at all), or the code of what is told."""
    if not let_in_at_all(world, who):
        return "door"
    if grants(world, who, case) is None:
        return "not_found"
    if not role_fits(world, who, kind):
        return "role_required"
    level = highest(world, who, case, section)
    if level is None or LADDER.index(level) < LADDER.index(least):
        return "not_owner" if least == "own" else "level_too_low"
    if case["use"] in world["needs_training"] and case["use"] not in trained(world, who):
        return "training_required"
    if case["marking"] in world["away"].get(who, {}):
        return str(world["away"][who][case["marking"]])
    return "allowed"


def trained(world: World, who: str) -> list[str]:
    """A client is trained as far as the person who answers for it is."""
    person = world["users"][who if who in world["users"] else world["clients"][who]["accountable"]]
    today = london_day(world)
    return [one["use"] for one in person["trainings"] if one["from"] <= today <= one["until"]]


def entries_seen(world: World, who: str, case: World) -> int:
    """How many of the entries: none without the timeline, and none that is withheld from the agency."""
    level = highest(world, who, case, "timeline")
    if grants(world, who, case) is None or level is None or LADDER.index(level) < LADDER.index("read"):
        return 0
    mine = agency_of(world, who)
    return sum(1 for withheld_from in case["entries"] if mine not in withheld_from)


def on_perpetrators_side(world: World, who: str, case: World) -> bool:
    """By any share that names it, in force or not."""
    return any(share_names(world, one, who) and one["side"] == "perpetrator" for one in case["shares"])


def opens(world: World, who: str, case: World) -> bool:
    """Whether this one could see anything of it now, wherever it is and whatever it holds in its hand."""
    if not let_in_at_all(world, who) or grants(world, who, case) is None:
        return False
    if case["use"] in world["needs_training"] and case["use"] not in trained(world, who):
        return False
    level = highest(world, who, case, None)
    tasks = role_fits(world, who, "task") and LADDER.index(level or "know") >= LADDER.index("task")
    return role_fits(world, who, "read") or tasks
