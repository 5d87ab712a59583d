"""Receipts, statements, reviews and usage, asked of a real audit and checked by the standalone verifier."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from deploy import verifier
from services.audit.stores.statements import STEPS, StatementStore
from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.mongo import connect
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.contracts import audit, reviews, statements
from services.contracts.caller import Caller, hash_arguments, sign
from services.contracts.errors import ConcordatError, Invalid, NotVisible
from services.contracts.messages import Reply, Request
from services.contracts.records import Actor, Object, Record
from tests.cell import Parts
from tests.integration.audit_children import AUDIT, Holder, in_log
from tests.integration.calling import Calling, Ear, instances
from tests.unit.audit.logs import record
from tests.waiting import until

STAND_INS = (
    "tests.integration.audit_children:StandInSharing",
    "tests.integration.audit_children:StandInCases",
)
NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def fleet(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with instances(parts, tmp_path_factory.mktemp("logs"), AUDIT, *STAND_INS):
        yield


@pytest.fixture
def log(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        yield client["audit"]


class Asking:
    """Somebody who asks audit, as the gateway passes it on."""

    def __init__(self, calling: Calling, parts: Parts, id_: str, agency: str, *roles: str) -> None:
        self._calling, self._parts = calling, parts
        self.id, self.agency, self.roles = id_, agency, roles
        self.teams: tuple[str, ...] = ()

    def ask(self, method: str, request: Request, reply: type[Reply], *, key: str | None = None) -> Any:
        now = datetime.now(UTC)
        caller = Caller(
            kind="user",
            id=self.id,
            agency_id=self.agency,
            roles=self.roles,
            team_ids=self.teams,
            device_class="managed",
            audience="audit",
            method=method,
            args_hash=hash_arguments(bytes(raw(request)), key),
            request_id="r-1",
            now=now,
            expires_at=now + timedelta(seconds=10),
        )
        secret = Keyring(self._parts.keys_dir, AUTHORITY).shared_secrets("audit", PURPOSE)[0]
        more = {} if key is None else {"key": key}
        return self._calling.ask(
            f"audit.{method}", request, caller=sign(caller, secret), request_id="r-1", reply=reply, **more
        )

    def refused(self, method: str, request: Request, *, key: str | None = None) -> ConcordatError:
        with pytest.raises(ConcordatError) as problem:
            self.ask(method, request, audit.EntryView, key=key)
        return problem.value


class Scene:
    """Ann of the police has a case with a subject. A nurse, to whom it is shared, opens it; a third sees only
    a section without subjects."""

    def __init__(self, calling: Calling, parts: Parts, ear: Ear, tag: str) -> None:
        self._calling, self._parts = calling, parts
        tag = tag[:8]
        self.police, self.officer, self.nurse = f"police-{tag}", f"ann-{tag}", f"nurse-{tag}"
        self.case = f"{self.officer}--{self.police}"
        self.subject = f"s.{self.case}"
        ann = Actor(kind="user", id=self.officer, agency_id=self.police)
        nurse = Actor(kind="user", id=self.nurse, agency_id="nhs")
        other = Object(type="case", id=f"x-{tag}", agency_id="thirteen", sections=("subjects",))
        self.entries = [
            record(1, actor=ann, objects=(self._case("summary", "subjects"),), use="iom"),
            record(2, actor=nurse, objects=(self._case("subjects"),), reason="safeguarding"),
            record(3, actor=nurse, objects=(self._case("subjects"), other), action="case.list", how="listed"),
            record(4, actor=ann, objects=(self._case("timeline"),)),
            record(5, actor=nurse, objects=(self._case(),), outcome="refused", code="not_found"),
            record(6, actor=ann, objects=(Object(type="subject", id=self.subject),), action="subject.read"),
            record(
                7,
                actor=ann,
                objects=(
                    self._case("subjects"),
                    Object(type="share", id="share-1", agency_id="nhs", sections=("subjects",)),
                ),
                action="share.create",
                operation="administration",
                how=None,
                outcome="done",
            ),
        ]
        self.counted = [self.entries[place].id for place in (0, 1, 2, 5, 6)]
        holder = Holder(parts, ear)
        for one in self.entries:
            holder.keep(one)

    def _case(self, *sections: str) -> Object:
        return Object(type="case", id=self.case, agency_id=self.police, sections=sections)

    def as_(self, id_: str, agency: str, *roles: str) -> Asking:
        return Asking(self._calling, self._parts, id_, agency, *roles)

    @property
    def officer_of_data(self) -> Asking:
        return self.as_("dpo", self.police, "agency_dpo")

    @property
    def key(self) -> verifier.Key:
        keys = self.officer_of_data.ask("list_keys", audit.ListKeys(), audit.KeyList)
        return verifier.Key.read(keys.items[-1].verifier_key)


@pytest.fixture
def scene(calling: Calling, parts: Parts, ear: Ear, tag: str, log: Any) -> Scene:
    scene = Scene(calling, parts, ear, tag)
    until(lambda: in_log(log, {one.id for one in scene.entries}))
    return scene


def issued(scene: Scene, **more: Any) -> statements.StatementView:
    body = statements.StatementBody(subject_id=scene.subject, **more)
    return scene.officer_of_data.ask(
        "issue_statement",
        statements.IssueStatement(statement=body),
        statements.StatementView,
        key=uuid.uuid4().hex,
    )


def file_of(scene: Scene, statement_id: str) -> dict[str, Any]:
    """As the gateway puts it together."""
    request = statements.GetStatement(statement_id=statement_id)

    def part(asked: statements.GetStatement) -> Any:
        try:
            return scene.officer_of_data.ask("get_statement", asked, statements.StatementPart)
        except ConcordatError as problem:
            if problem.code != "unavailable":
                raise
            return None

    found = scene.officer_of_data.ask("get_statement", request, statements.StatementPart)
    whole = json.loads(found.model_dump_json(exclude_unset=True, exclude={"disclosed", "etag", "next"}))
    while found.next is not None:
        found = part(request.model_copy(update={"cursor": found.next}))
        whole["lines"] += json.loads(found.model_dump_json(exclude_unset=True))["lines"]
    return whole


def check(scene: Scene, what: str, file: Any) -> verifier.Checked:
    return verifier.verify(what, io.BytesIO(json.dumps(file).encode()), scene.key)


def test_a_receipt_is_verified_without_the_server(scene: Scene) -> None:
    ann = scene.as_(scene.officer, scene.police, "practitioner")
    asked = statements.GetReceipt(entry_id=scene.entries[0].id)
    found = until(lambda: ann.ask("get_receipt", asked, statements.Receipt))
    receipt = json.loads(found.model_dump_json(exclude_unset=True, exclude={"disclosed"}))
    assert receipt.keys() == {"entry", "proof", "checkpoint"}
    assert check(scene, "receipt", receipt).details == 1
    receipt["entry"]["id"] = scene.entries[1].id
    with pytest.raises(verifier.Wrong):
        check(scene, "receipt", receipt)
    assert isinstance(scene.as_("x", "nhs", "practitioner").refused("get_receipt", asked), NotVisible)


def test_a_receipt_of_a_part_comes_without_the_detail(scene: Scene) -> None:
    asked = statements.GetReceipt(entry_id=scene.entries[2].id)
    found = scene.officer_of_data.ask("get_receipt", asked, statements.Receipt)
    assert found.entry.detail is None
    body = json.loads(found.model_dump_json(exclude_unset=True, exclude={"disclosed"}))
    assert check(scene, "receipt", body).details == 0


def test_a_statement_says_who_was_shown_what_under_which_power(scene: Scene) -> None:
    preview = scene.officer_of_data.ask(
        "preview_statement",
        statements.PreviewStatement(subject_id=scene.subject),
        statements.StatementPreview,
    )
    assert [one.id for one in preview.items] == scene.counted
    own, nurse = preview.items[0], preview.items[1]
    assert (own.actor.name, own.use, own.power) == (f"name of {scene.officer}", "iom", None)
    assert own.sections == ("summary", "subjects")
    assert nurse.power is not None
    assert (nurse.power.purpose, nurse.power.legal_gateway, nurse.reason) == (
        "asb",
        "cda_115",
        "safeguarding",
    )
    assert preview.items[4].to is not None
    assert preview.items[4].to.id == "nhs"


def test_a_statement_is_verified_and_no_line_can_be_taken_out_or_changed(scene: Scene) -> None:
    made = issued(scene)
    assert (made.lines, made.withheld, made.redacted, made.scope) == (5, 0, 0, "agency")
    file = file_of(scene, made.id)
    checked = check(scene, "statement", file)
    assert (checked.entries, checked.details) == (5, 4)  # the list names another's case: leaf alone
    for place in range(5):
        short = {**file, "lines": file["lines"][:place] + file["lines"][place + 1 :]}
        with pytest.raises(verifier.Wrong):
            check(scene, "statement", short)
        other = json.loads(json.dumps(file))
        other["lines"][place]["text"] = other["lines"][place]["text"].replace("name of", "Name of")
        with pytest.raises(verifier.Wrong):
            check(scene, "statement", other)
    swapped = {**file, "lines": [file["lines"][1], file["lines"][0], *file["lines"][2:]]}
    with pytest.raises(verifier.Wrong):
        check(scene, "statement", swapped)


def test_what_is_withheld_is_counted_and_says_by_which_exemption(scene: Scene) -> None:
    made = issued(
        scene,
        withhold=(
            statements.Withholding(entry_id=scene.counted[0], exemption="crime_and_taxation"),
            statements.Withholding(entry_id=scene.counted[1], exemption="rights_of_others", what="names"),
        ),
    )
    assert (made.lines, made.withheld, made.redacted) == (5, 1, 1)
    file = file_of(scene, made.id)
    check(scene, "statement", file)
    first, second = (json.loads(one["text"]) for one in file["lines"][:2])
    assert first.keys() == {"n", "index", "hash", "withheld"}
    assert first["withheld"] == "crime_and_taxation"
    assert second["redacted"] == "rights_of_others"
    assert scene.nurse not in json.dumps(file["lines"][1])
    assert second["agency"]["id"] == "nhs"


def test_a_statement_of_many_lines_comes_in_pieces(scene: Scene, parts: Parts, ear: Ear, log: Any) -> None:
    holder = Holder(parts, ear)
    more = [
        scene.entries[0].model_copy(
            update={"id": record(n).id, "at": scene.entries[0].at + timedelta(hours=n)}
        )
        for n in range(230)
    ]
    for one in more:
        holder.keep(one)
    until(lambda: in_log(log, {one.id for one in more}))
    made = issued(scene)
    file = file_of(scene, made.id)
    assert len(file["lines"]) == made.lines == 235
    assert check(scene, "statement", file).entries == 235
    period = {"from": scene.entries[0].at, "to": scene.entries[2].at}
    assert issued(scene, **period).lines == 3  # the first of `more` is at the same time


def test_statements_are_their_agencys_and_the_partnerships(scene: Scene) -> None:
    made = issued(scene)
    asked = statements.GetStatement(statement_id=made.id)
    assert isinstance(scene.as_("d", "nhs", "agency_dpo").refused("get_statement", asked), NotVisible)
    page = scene.as_("d", "nhs", "agency_dpo").ask(
        "list_statements", statements.ListStatements(), statements.StatementList
    )
    assert made.id not in [one.id for one in page.items]
    everywhere = scene.as_("p", "opcc", "partnership_dpo").ask(
        "list_statements", statements.ListStatements(limit=1), statements.StatementList
    )
    assert [one.id for one in everywhere.items] == [made.id]
    of_another = statements.IssueStatement(statement=statements.StatementBody(subject_id=scene.subject))
    refused = scene.as_("d", "nhs", "agency_dpo").refused("issue_statement", of_another, key="k1-" + made.id)
    assert isinstance(refused, NotVisible)
    unknown = statements.IssueStatement(statement=statements.StatementBody(subject_id="nobody"))
    assert isinstance(
        scene.officer_of_data.refused("issue_statement", unknown, key="k2-" + made.id), NotVisible
    )
    wrong = statements.StatementBody(
        subject_id=scene.subject,
        withhold=(statements.Withholding(entry_id="none", exemption="immigration"),),
    )
    problem = scene.officer_of_data.refused(
        "issue_statement", statements.IssueStatement(statement=wrong), key="k3-" + made.id
    )
    assert isinstance(problem, Invalid)
    assert problem.errors[0].pointer == "/withhold/0/entry_id"


def test_an_officer_to_whom_a_case_does_not_exist_finds_it_in_no_statement(
    calling: Calling, parts: Parts, ear: Ear, log: Any, tag: str
) -> None:
    police, shut = f"police-{tag[:8]}", f"dpo-{tag[:8]}.shut"
    case = f"ann-{tag[:8]}--{police}.not.{shut}"
    ann = Actor(kind="user", id=f"ann-{tag[:8]}", agency_id=police)
    subject = Object(type="subject", id=f"s.{case}", agency_id=police)
    about = Object(type="case", id=case, agency_id=police, sections=("subjects",))
    beside = Object(type="case", id=f"x-{tag[:8]}", agency_id=police, sections=("subjects",))
    made = [
        record(1, actor=ann, objects=(about,)),
        record(2, actor=ann, objects=(about, beside), action="case.list", how="listed"),
        record(3, actor=ann, objects=(subject, about), action="subject.read"),
        record(4, actor=ann, objects=(subject,), action="subject.read"),
    ]
    kept(parts, ear, log, made)
    shut_out = Asking(calling, parts, shut, police, "agency_dpo")
    partnership = Asking(calling, parts, shut, "opcc", "partnership_dpo")
    colleague = Asking(calling, parts, f"other-{tag[:8]}", police, "agency_dpo")
    body = statements.StatementBody(subject_id=subject.id)
    whole = _issue(colleague, body)
    assert whole.lines == 4

    for officer in (shut_out, partnership):
        preview = statements.PreviewStatement(subject_id=subject.id)
        told = officer.ask("preview_statement", preview, statements.StatementPreview)
        assert [one.id for one in told.items] == [made[3].id]
        assert case not in "".join(one.model_dump_json() for one in told.items)
        found = officer.ask("list_statements", statements.ListStatements(limit=1), statements.StatementList)
        assert whole.id not in [one.id for one in found.items]
        asked = statements.GetStatement(statement_id=whole.id)
        assert isinstance(officer.refused("get_statement", asked), NotVisible)
    own = _issue(shut_out, body)
    assert own.lines == 1
    of_the_agency = statements.ListStatements(limit=1)
    first = shut_out.ask("list_statements", of_the_agency, statements.StatementList)
    assert ([one.id for one in first.items], first.next) == ([own.id], None)
    both = colleague.ask("list_statements", statements.ListStatements(), statements.StatementList)
    assert [one.id for one in both.items] == [own.id, whole.id]

    # Nor in the log, whose entry of a statement names whom it is about and no case.
    for one in (whole, own):  # waits until the log has it
        colleague.ask("get_statement", statements.GetStatement(statement_id=one.id), statements.StatementPart)
    issuing = audit.ListEntries(subject_id=subject.id, action="statement.issue")
    entries = colleague.ask("list_entries", issuing, audit.EntryList).items
    (hidden,) = [one for one in entries if whole.id in [item.id for item in one.objects]]
    for officer in (shut_out, partnership):
        (left,) = officer.ask("list_entries", issuing, audit.EntryList).items
        assert own.id in [item.id for item in left.objects]
        assert isinstance(officer.refused("get_entry", audit.GetEntry(entry_id=hidden.id)), NotVisible)
        by_colleague = audit.ListEntries(actor_id=colleague.id)
        assert whole.id not in officer.ask("list_entries", by_colleague, audit.EntryList).model_dump_json()


def test_which_cases_a_statement_names_is_known_of_those_from_before_that_was_kept(
    scene: Scene, log: Any
) -> None:
    made = issued(scene)
    log["statements"].update_one({"_id": made.id}, {"$unset": {"cases": ""}})
    found = StatementStore(log).find(made.id)
    assert found is not None
    assert found.cases == [scene.case]
    migration = next(one for one in STEPS if one.name == "statements_cases")
    migration.run(log)
    assert log["statements"].find_one({"_id": made.id})["cases"] == [scene.case]


def _issue(asking: Asking, body: statements.StatementBody) -> statements.StatementView:
    request = statements.IssueStatement(statement=body)
    made: statements.StatementView = asking.ask(
        "issue_statement", request, statements.StatementView, key=uuid.uuid4().hex
    )
    return made


def test_statements_to_somebody_are_destroyed_with_the_details(scene: Scene, log: Any) -> None:
    made, again = issued(scene), issued(scene)
    store = StatementStore(log)
    assert store.erase(scene.subject) == 2
    assert store.erase(scene.subject) == 0
    assert [store.find(one.id) for one in (made, again)] == [None, None]
    assert store.piece(made.id, 0) == []


def test_a_supervisor_reads_what_the_team_did_and_no_more(scene: Scene) -> None:
    supervisor = scene.as_("sue", scene.police, "supervisor")
    supervisor.teams = (f"team-{scene.officer}",)
    found = supervisor.ask("list_entries", audit.ListEntries(), audit.EntryList)
    ids = {one.id for one in found.items if one.action != "log.read"}
    assert ids == {one.id for one in scene.entries if one.actor.id == scene.officer}
    single = supervisor.ask("get_entry", audit.GetEntry(entry_id=scene.entries[3].id), audit.EntryView)
    assert single.objects[0].id == scene.case
    other = audit.GetEntry(entry_id=scene.entries[1].id)
    assert isinstance(supervisor.refused("get_entry", other), NotVisible)
    named = supervisor.ask("list_entries", audit.ListEntries(actor_id=scene.nurse), audit.EntryList)
    assert named.items == ()
    supervisor.roles = ("practitioner",)
    assert isinstance(
        supervisor.refused("get_entry", audit.GetEntry(entry_id=scene.entries[3].id)), NotVisible
    )


# --- what is worked out of the log ---


def kept(parts: Parts, ear: Ear, log: Any, records: list[Record]) -> None:
    holder = Holder(parts, ear)
    for one in records:
        holder.keep(one)
    until(lambda: in_log(log, {one.id for one in records}))


def open_reviews(asking: Asking, **filters: Any) -> list[reviews.ReviewItem]:
    return list(asking.ask("list_reviews", reviews.ListReviews(**filters), reviews.ReviewList).items)


def opening(actor: Actor, case: str, at: datetime, **more: Any) -> Record:
    thing = Object(type="case", id=case, agency_id=actor.agency_id, sections=("summary",))
    return record(0, actor=actor, at=at, objects=(thing,), **more)


def test_unusual_access_is_found_decided_and_open_again_when_there_is_more(
    calling: Calling, parts: Parts, ear: Ear, log: Any, tag: str
) -> None:
    police, busy = f"pol-{tag[:8]}", f"busy-{tag[:8]}"
    actor = Actor(kind="user", id=busy, agency_id=police)
    day = datetime(2026, 11, 24, 11, tzinfo=UTC)
    own = f"{busy}--{police}"
    made = [opening(actor, own, NIGHT), opening(actor, own, day)]
    made += [opening(actor, f"zed--{police}.{n}", day + timedelta(seconds=n)) for n in range(52)]
    flag = Object(type="flag", id="own_name")
    made.append(record(0, actor=actor, at=day, objects=(flag,), action="subject.search", how="listed"))
    kept(parts, ear, log, made)
    dpo = Asking(calling, parts, f"dpo-{tag}", police, "agency_dpo")

    def theirs(**filters: Any) -> list[reviews.ReviewItem]:
        """Not the officer's own, who reads reviews at whatever hour this test is run."""
        return open_reviews(dpo, actor_id=busy, **filters)

    found = until(lambda: {one.kind: one for one in theirs()} if len(theirs()) == 4 else {})
    assert found["out_of_hours"].count == 1
    assert found["out_of_hours"].entry_ids == (made[0].id,)
    assert found["own_name"].count == 1
    assert found["volume"].count == 53
    assert found["no_relation"].count == 52  # the own case is not strange
    assert found["volume"].day == date(2026, 11, 24)
    assert found["volume"].actor.name == f"name of {busy}"

    one = found["out_of_hours"]
    body = reviews.DecisionBody(decision="expected", reason="On call that night.")
    asked = reviews.DecideReview(review_id=one.id, review=body)
    told = dpo.ask("decide_review", asked, reviews.ReviewView, key=uuid.uuid4().hex)
    assert (told.state, told.decisions[0].decision, told.decisions[0].by.id) == (
        "decided",
        "expected",
        dpo.id,
    )
    assert one.id not in [item.id for item in theirs(state="open")]
    assert [item.id for item in theirs(kind="out_of_hours")] == [one.id]
    stranger = Asking(calling, parts, "dpo-2", "nhs", "agency_dpo")
    assert isinstance(stranger.refused("decide_review", asked, key=uuid.uuid4().hex), NotVisible)
    assert open_reviews(stranger, actor_id=busy) == []

    kept(parts, ear, log, [opening(actor, own, NIGHT + timedelta(minutes=5))])
    again = until(lambda: theirs(state="open", kind="out_of_hours"))
    assert (again[0].count, len(again[0].decisions)) == (2, 1)


def test_a_review_names_and_counts_nothing_of_a_case_that_does_not_exist_for_the_officer(
    calling: Calling, parts: Parts, ear: Ear, log: Any, tag: str
) -> None:
    police, shut = f"rev-{tag[:8]}", f"dpo-{tag[:8]}.shut"
    hidden = f"zed--{police}.not.{shut}"
    ann, ben = (Actor(kind="user", id=f"{name}-{tag[:8]}", agency_id=police) for name in ("ann", "ben"))
    own = [opening(one, f"{one.id}--{police}", NIGHT) for one in (ann, ben)]
    theirs = opening(ann, hidden, NIGHT)
    only = opening(ben, hidden, NIGHT - timedelta(days=1))
    kept(parts, ear, log, [*own, theirs, only])
    colleague = Asking(calling, parts, f"other-{tag[:8]}", police, "agency_dpo")
    until(lambda: sum(one.count for one in open_reviews(colleague, kind="out_of_hours")) == 4)
    for officer in (
        Asking(calling, parts, shut, police, "agency_dpo"),
        Asking(calling, parts, shut, "opcc", "partnership_dpo"),
    ):
        found = {one.id: one for who in (ann, ben) for one in open_reviews(officer, actor_id=who.id)}
        assert {(one.actor.id, one.count, one.entry_ids) for one in found.values()} == {
            (ann.id, 1, (own[0].id,)),
            (ben.id, 1, (own[1].id,)),
        }
        body = reviews.DecisionBody(decision="expected", reason="On call")
        gone = next(one.id for one in open_reviews(colleague, actor_id=ben.id) if one.id not in found)
        asked = reviews.DecideReview(review_id=gone, review=body)
        assert isinstance(officer.refused("decide_review", asked, key=uuid.uuid4().hex), NotVisible)
        page = officer.ask("list_reviews", reviews.ListReviews(limit=1, actor_id=ben.id), reviews.ReviewList)
        assert (len(page.items), page.next) == (1, None)


def test_reviews_come_page_by_page(calling: Calling, parts: Parts, ear: Ear, log: Any, tag: str) -> None:
    police = f"pag-{tag[:8]}"
    actors = [Actor(kind="user", id=f"n{n}-{tag[:8]}", agency_id=police) for n in range(5)]
    kept(
        parts,
        ear,
        log,
        [opening(one, f"{one.id}--{police}", NIGHT - timedelta(days=n // 2)) for n, one in enumerate(actors)],
    )
    dpo = Asking(calling, parts, f"dpo-{tag}", police, "agency_dpo")
    until(lambda: len(open_reviews(dpo)) == 5)
    seen: list[reviews.ReviewItem] = []
    asked = reviews.ListReviews(limit=2)
    while True:
        page = dpo.ask("list_reviews", asked, reviews.ReviewList)
        seen += page.items
        if page.next is None:
            break
        asked = asked.model_copy(update={"cursor": page.next})
    assert len({one.id for one in seen}) == len(seen) == 5
    assert [one.day for one in seen] == sorted((one.day for one in seen), reverse=True)


def test_usage_counts_people_cases_and_contributions(
    calling: Calling, parts: Parts, ear: Ear, log: Any, tag: str
) -> None:
    police, ann, ben = f"use-{tag[:8]}", f"ann-{tag[:8]}", f"ben-{tag[:8]}"
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    actors = [Actor(kind="user", id=one, agency_id=police) for one in (ann, ben)]
    work = Object(type="case", id=f"{ann}--{police}", agency_id=police)
    made = [
        opening(actors[0], f"{ann}--{police}", at, use="iom"),
        opening(actors[0], f"{ann}--{police}", at + timedelta(days=1), use="iom"),
        record(
            0,
            actor=actors[0],
            at=at,
            objects=(work,),
            use="iom",
            action="entry.add",
            operation="collection",
            how=None,
            outcome="done",
        ),
        record(
            0,
            actor=actors[1],
            at=at,
            action="session.create",
            operation="administration",
            how=None,
            objects=(),
            outcome="done",
        ),
    ]
    kept(parts, ear, log, made)
    dpo = Asking(calling, parts, f"dpo-{tag}", police, "agency_dpo")

    def usage(first: str, last: str) -> Any:
        asked = reviews.GetUsage(since=date.fromisoformat(first), until=date.fromisoformat(last))
        return dpo.ask("get_usage", asked, reviews.Usage)

    found = until(
        lambda: (
            one
            if len((one := usage("2026-03-01", "2026-03-31")).agencies) == 1
            and one.agencies[0].active_users == 2
            else None
        )
    )
    figures = found.agencies[0]
    assert (figures.cases_opened, figures.contributions, figures.last_log_in) == (2, 1, at)
    assert {one.team.id: one.cases_opened for one in found.teams} == {f"team-{ann}": 2, f"team-{ben}": 0}
    assert [(one.use, one.active_users, one.cases_opened, one.contributions) for one in found.uses] == [
        ("iom", 1, 2, 1)
    ]
    assert usage("2026-03-06", "2026-03-06").agencies[0].cases_opened == 1
    assert usage("2026-04-01", "2026-04-02").agencies == ()
    late = reviews.GetUsage(since=date(2026, 3, 2), until=date(2026, 3, 1))
    assert isinstance(dpo.refused("get_usage", late), Invalid)
