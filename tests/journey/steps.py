"""The seven steps of the main job. Each asserts what it must show and returns a line that says so."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp

from deploy.demo import story
from deploy.demo.api import Api, Refusal
from tests.journey.cast import Cast
from tests.journey.listening import listening, receiving
from tests.waiting import until

POLICE, HOUSING, POLICING_BODY = (
    "Cleveland Police",
    "Thirteen Housing",
    "Office of the Police and Crime Commissioner for Cleveland",
)
PASSWORD = "heron-maple-9-thicket"
SEEN_WITHIN = 2.0
"""Seconds in which a change is on the officer's screen."""


@dataclass
class Walk:
    """What the steps hand on to one another."""

    cast: Cast
    officer: Api
    housing: Api
    colleague: Api
    stranger: Api
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> str:
        return f"/cases/{self.made['case']['id']}"


def begin(cast: Cast) -> Walk:
    nobody = Api(cast.url)
    return Walk(
        cast,
        officer=nobody,
        housing=cast.sign_in(cast.user(HOUSING, "practitioner", 0)),
        colleague=cast.sign_in(cast.user(HOUSING, "practitioner", 2)),
        stranger=cast.sign_in(cast.user("Cleveland Fire and Rescue", "practitioner")),
    )


def one_partnership(walk: Walk) -> str:
    """1. The bodies exist with their types; one has a protocol not yet active, one an expired one."""
    operator = walk.cast.sign_in(next(one for one in walk.cast.users if "system_operator" in one["roles"]))
    agencies = operator.all("/agencies")
    types = {one["name"]: one["type"] for one in agencies}
    assert types[POLICE] == "police"
    assert types[HOUSING] == "housing_association"
    assert types[POLICING_BODY] == "policing_body"
    assert sum(kind == "local_authority" for kind in types.values()) == 4
    assert {"operator", "vcse", "nhs_trust", "fire_and_rescue"} <= set(types.values())
    states = {one["state"] for one in operator.all("/protocols")}
    assert {"active", "signed", "expired"} <= states, states
    return f"{len(agencies)} bodies, protocols {', '.join(sorted(states))}"


def two_officer(walk: Walk) -> str:
    """2. Invited, activated, enrolled, signed; only then content; and a case with two incident reports."""
    administrator = walk.cast.sign_in(walk.cast.user(POLICE, "agency_admin"))
    agency = administrator.get("/me")["agency"]["id"]
    team = administrator.post("/teams", {"agency_id": agency, "name": f"Response {uuid.uuid4().hex[:6]}"})
    username = f"officer.{uuid.uuid4().hex[:8]}"
    invited = administrator.post(
        "/users",
        {
            "username": username,
            "name": "Odile Marsh",
            "email": f"{username}@police.example",
            "agency_id": agency,
            "job_title": "Police Constable",
            "team_ids": [team["id"]],
            "roles": [{"role": "practitioner"}],
        },
    )
    assert invited["state"] == "invited"
    Api(walk.cast.url).post("/activations", {"token": invited["activation_token"], "password": PASSWORD})
    officer = Api(walk.cast.url).sign_in(username, PASSWORD)
    secret = officer.post("/me/totp", {})["secret"]
    codes = officer.put("/me/totp", {"code": pyotp.TOTP(secret).now()})["recovery_codes"]
    assert len(codes) >= 8
    assert refused(officer, "GET", "/cases") == (403, "procedure_unsigned")
    current = officer.get("/procedures/current")
    assert current["clauses"]
    signed = {"version": current["version"], "sha256": current["sha256"]}
    officer.post("/procedures/current/signatures", signed)
    officer.get("/cases")
    assert refused(Api(walk.cast.url), "POST", "/sessions", credentials(username)) == (401, "totp_required")
    tale = story.fresh()
    about = story.subjects(officer, team["id"], tale)
    walk.officer = officer
    walk.made.update(case=story.open_case(officer, team["id"], tale, about), about=about, team=team)
    entries = officer.all(f"{walk.case}/entries")
    assert [one["type"] for one in entries] == ["incident_report"] * 2
    return f"case {walk.made['case']['reference']} with {len(entries)} incident reports"


def three_share(walk: Walk) -> str:
    """3. Shared with Thirteen: a team, a person and its system; both keys are needed (R34)."""
    officer, me = walk.officer, walk.housing.get("/me")
    housing_id = me["agency"]["id"]
    found = officer.all(f"/directory?agency_id={housing_id}")
    person = next(one for one in found if one["id"] == me["user"]["id"])
    team = next(one for one in found if one["kind"] == "team" and one["id"] == me["teams"][0]["id"])
    assert person["available"]
    protocol = next(one for one in officer.all("/protocols") if one["state"] == "active")
    client_id = walk.cast.clients[0]["id"]
    members = [{"user_id": person["id"]}, {"client_id": client_id}]
    body = story.share_body(housing_id, protocol["id"], members)
    path = f"{walk.case}/shares"
    nobody_named = refused(officer, "POST", path, {**body, "members": []})
    assert nobody_named[0] == 422
    outsider = walk.stranger.get("/me")["user"]["id"]
    other = {**body, "members": [{"user_id": outsider}]}
    assert refused(officer, "POST", path, other) == (422, "member_not_in_agency")
    preview = officer.post(f"{path}/preview", body)
    assert preview
    walk.made["share"] = officer.post(path, body)
    walk.made["team_name"] = team["name"]
    assert walk.made["share"]["state"] == "active"
    assert walk.made["share"]["regime"] == "uk_gdpr"
    return f"{HOUSING}: {person['name']} and its own system, as {walk.made['share']['level']}"


def four_work(walk: Walk) -> str:
    """4. The named officer works in it; for everybody else the case does not exist."""
    case_id = walk.made["case"]["id"]
    listed = walk.housing.all("/cases?mine=shared")
    assert case_id in {one["id"] for one in listed}
    assert refused(walk.housing, "GET", walk.case) == (403, "reason_required")
    shown = walk.housing.send("GET", walk.case, headers={"Access-Reason": "investigation"})
    assert shown.headers["Consultation"]
    assert shown.json()["my_access"]["level"] == "contribute"
    note = story.note(
        walk.housing, case_id, "Tenancy visit booked; neighbours at 12 and 16 will be seen too."
    )
    given = story.task(walk.officer, case_id, walk.housing.get("/me")["user"]["id"], "Visit the family")
    accepted = walk.housing.send(
        "PATCH",
        f"{walk.case}/tasks/{given['id']}",
        {"state": "accepted"},
        headers={"If-Match": walk.housing.send("GET", f"{walk.case}/tasks/{given['id']}").headers["ETag"]},
    ).json()
    assert accepted["state"] == "accepted"
    assert note["agency"]["name"] == HOUSING
    absent = f"/cases/{uuid.uuid4()}"
    for outsider in (walk.colleague, walk.stranger):
        assert _looks(outsider, walk.case) == _looks(outsider, absent)
        assert case_id not in {one["id"] for one in outsider.all("/cases")}
    told = []
    for agency in ("Accent Housing", "North Star Housing"):
        user = walk.cast.user(agency, "agency_admin")
        login = {"username": user["username"], "password": user["password"]}
        told.append(refused(Api(walk.cast.url), "POST", "/sessions", login)[1])
        wrong = {**login, "password": "not-the-password-1"}
        assert refused(Api(walk.cast.url), "POST", "/sessions", wrong) == (401, "bad_credentials")
    assert told == ["protocol_not_active", "protocol_expired"], told
    return "note and task; 404 for colleague and stranger, alike; no log-in without a protocol"


def five_systems(walk: Walk) -> str:
    """5. Thirteen's system gets a signed thin event and fetches the rest; the officer sees it in 2 s."""
    client = walk.cast.clients[0]
    system = Api(walk.cast.url).sign_in_client(client["id"], client["client_secret"])
    walk.made["system"] = system
    with receiving() as receiver, listening(walk.officer) as stream:
        subscription = system.post(
            "/subscriptions",
            {"client_id": client["id"], "transport": "webhook", "url": receiver.url, "types": ["*"]},
        )
        walk.made["subscription"] = subscription
        began = time.time()
        story.note(walk.housing, walk.made["case"]["id"], "Visit done. Cameras offered and accepted.")
        frame = until(lambda: next(iter(stream.about(walk.made["case"]["id"])), None), seconds=10)
        shown = frame.at - began
        delivery = until(lambda: next(iter(receiver.about(walk.made["case"]["id"])), None), seconds=10)
        event = delivery.event
        assert delivery.signed_with(subscription["secret"])
        assert event["type"] == "entry.added"
        assert set(event["data"]) == {"case_id", "entry_id"}
        entry = system.get(f"{walk.case}/entries/{event['data']['entry_id']}")
        assert entry["text"].startswith("Visit done")
        assert shown <= SEEN_WITHIN, f"shown after {shown:.2f} s"
    return f"{event['type']} delivered and fetched; on the officer's screen after {shown:.2f} s"


def six_revoke(walk: Walk) -> str:
    """6. From the moment the revoke returns nothing is given any more, on any channel."""
    client, share = walk.made["system"], walk.made["share"]["id"]
    with receiving() as receiver, listening(walk.housing) as stream:
        client.patch(f"/subscriptions/{walk.made['subscription']['id']}", {"url": receiver.url})
        walk.officer.delete(f"{walk.case}/shares/{share}?reason=no_longer_needed")
        revoked_at = time.time()
        for path in (walk.case, f"{walk.case}/entries", f"{walk.case}/tasks"):
            assert refused(walk.housing, "GET", path) == (404, "not_found")
            assert refused(client, "GET", path) == (404, "not_found")
        assert walk.made["case"]["id"] not in {one["id"] for one in walk.housing.all("/cases")}
        note = story.note(walk.officer, walk.made["case"]["id"], "For the police alone from here on.")
        mine = until(lambda: _entry_seen(walk, note["id"]), seconds=10)
        late = [one for one in stream.about(walk.made["case"]["id"]) if one.at > revoked_at]
        assert mine
        assert not late
        assert not receiver.about(walk.made["case"]["id"])
    return "reads, lists, stream and deliveries refused"


def seven_proof(walk: Walk) -> str:
    """7. Who can see it and why, who has seen it; the log is exported and verified, and not when altered."""
    access = walk.officer.all(f"{walk.case}/access")
    assert {one["via"] for one in access} >= {"owner"}
    assert HOUSING not in {one["who"]["agency"]["name"] for one in access}
    housing = walk.housing.get("/me")["user"]["id"]

    def seen() -> list[Any]:
        return [
            one
            for one in walk.officer.all(f"{walk.case}/consultations")
            if one["actor"]["id"] == housing and one["outcome"] == "shown"
        ]

    consulted = until(seen, seconds=20)
    dpo = walk.cast.sign_in(walk.cast.user(POLICING_BODY, "partnership_dpo"))
    key = dpo.get("/audit/keys")["items"][-1]["verifier_key"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.jsonl"
        export(dpo, file)
        good = verify(file, key)
        assert good.returncode == 0, good.stdout + good.stderr
        index = _alter(file)
        bad = verify(file, key)
        assert bad.returncode == 1
        assert str(index) in bad.stdout + bad.stderr
    return f"{len(consulted)} looks by the housing officer; export verified; altered entry {index} named"


STEPS = (one_partnership, two_officer, three_share, four_work, five_systems, six_revoke, seven_proof)


def credentials(username: str) -> dict[str, str]:
    return {"username": username, "password": PASSWORD}


def refused(api: Api, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and code of a request that must be refused."""
    headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else None
    try:
        answer = api.send(method, path, body, headers=headers)
    except Refusal as refusal:
        return refusal.status, refusal.code
    raise AssertionError(f"{method} {path} was not refused: {answer.status_code}")


def verify(file: Path, key: str) -> subprocess.CompletedProcess[str]:
    """What anybody does with an export, without the server."""
    concordat = Path(sys.executable).with_name("concordat")
    command = [str(concordat), "verify", "export", str(file), "--key", key]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _looks(api: Api, path: str) -> tuple[Any, ...]:
    """All that an answer tells, but what is made for each request."""
    try:
        answer = api.send("GET", path)
    except Refusal as refusal:
        problem = {name: value for name, value in refusal.problem.items() if name != "request_id"}
        return refusal.status, problem
    return (answer.status_code,)


def _entry_seen(walk: Walk, entry_id: str) -> bool:
    return entry_id in {one["id"] for one in walk.officer.all(f"{walk.case}/entries")}


def export(dpo: Api, file: Path) -> None:
    """The whole log, as its reader keeps it."""
    headers = {"Authorization": f"Bearer {dpo.token}"}
    url = f"{dpo.url}/api/v1/audit/export"
    with (
        httpx.Client(timeout=60, trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
        file.open("wb") as out,
    ):
        assert answer.status_code == 200, answer.status_code
        for chunk in answer.iter_bytes():
            out.write(chunk)


def _alter(file: Path) -> int:
    """One byte of one entry's leaf."""
    lines = file.read_text().splitlines()
    place = len(lines) // 2 if len(lines) > 2 else 0
    entry = json.loads(lines[place])
    leaf = entry["leaf"]
    entry["leaf"] = ("A" if leaf[0] != "A" else "B") + leaf[1:]
    lines[place] = json.dumps(entry)
    file.write_text("\n".join(lines) + "\n")
    return int(entry["index"])
