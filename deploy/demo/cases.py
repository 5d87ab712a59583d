"""The cases of the demonstration: the main story, told as far as the working together, and two more."""

from __future__ import annotations

from typing import Any

from deploy.demo import story
from deploy.demo.partnership import TEAMS
from deploy.demo.seed import Seeded


def fill(made: Seeded) -> None:
    """Safe to repeat: what is there is left alone."""
    team = made.teams["police", TEAMS["police"][0]]
    officer, housing = made.sign_in("p.marsh"), made.sign_in("j.foley")
    case = story.open_case(officer, team, story.MAIN, story.subjects(officer, team, story.MAIN))
    members: list[dict[str, Any]] = [
        {"user_id": made.users["j.foley"]},
        {"team_id": made.teams["thirteen", TEAMS["thirteen"][0]]},
        {"client_id": made.clients[0]["id"]},
    ]
    body = story.share_body(made.agencies["thirteen"], made.protocol_id, members)
    shares = officer.all(f"/cases/{case['id']}/shares")
    if all(one["agency_id"] != body["agency_id"] for one in shares):
        officer.post(f"/cases/{case['id']}/shares", body)
    text = "The tenant called at the office today. She has kept a diary since March; copies are being made."
    if all(one["text"] != text for one in officer.all(f"/cases/{case['id']}/entries")):
        story.note(housing, case["id"], text, key=story.MAIN.key("note", "housing"))
    tasks = {one["title"] for one in officer.all(f"/cases/{case['id']}/tasks")}
    title = "Fit a letter-box guard and check the door entry system"
    if title not in tasks:
        key = story.MAIN.key("task", "guard")
        story.task(officer, case["id"], made.users["j.foley"], title, key=key)
    made.cases.append({"id": case["id"], "reference": case["reference"]})
    for tale in story.OTHERS:
        other = story.open_case(officer, team, tale, story.subjects(officer, team, tale))
        made.cases.append({"id": other["id"], "reference": other["reference"]})
