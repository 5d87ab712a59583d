"""The verifier accepts receipts and statements as they were made, and nothing else."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy import verifier
from services.audit.domain import merkle, statements
from services.audit.domain.merkle import Frontier
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.sequencing import Placed, place
from services.audit.domain.statements import Span
from services.contracts.authority import GrantedPower
from services.contracts.records import Actor, Object, Record
from services.contracts.statements import Withholding
from tests.unit.audit.logs import NOW, ORIGIN, record, signer, tree_of

COUNT, SUBJECT, CASE = 37, "subject-1", "case-1"
KEY = verifier.Key.read(str(signer().verifier))
Change = Callable[[random.Random, Any], Any]


def look(number: int, **fields: Any) -> Record:
    thing = Object(type="case", id=CASE, agency_id="police", sections=("subjects",), version=1)
    return record(number, objects=(thing,), **fields)


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Log:
    """A log in memory with a statement in it, and the receipt of one of its entries."""

    def __init__(self, sign: Signer | None = None) -> None:
        self.sign = sign or signer()
        looks = [look(number) for number in range(COUNT)]
        placed_, _ = self._placed(looks)
        held = [Span(CASE, NOW)]
        self.lines = []
        for number, one in enumerate(placed_, 1):
            told = statements.counted(one.index, one.record, SUBJECT, held)
            assert told is not None
            withheld = None
            if number in (3, 4):
                what = "entry" if number == 3 else "names"
                withheld = Withholding.model_validate(
                    {"entry_id": one.record.id, "exemption": "immigration", "what": what}
                )
            said = statements.said(told, {"user-1": "Ann", "police": "Police"}, None)
            self.lines.append(statements.line(number, told, said, (one.leaf.leaf, one.complete[0]), withheld))
        self.head = statements.head(id="st-1", subject_id=SUBJECT, lines=len(self.lines))
        named = statements.committing(
            "st-1", Object(type="subject", id=SUBJECT), statements.digest(self.head, self.lines)
        )
        own = record(COUNT, action="statement.issue", objects=named, outcome="done", how=None)
        more = [look(COUNT + number) for number in range(1, 6)]
        self.placed, tree = self._placed([*looks, own, *more])
        self.size, self.root = tree.size, tree.root
        self.note = self.sign.sign(str(Statement(self.sign.name, tree.size, tree.root)))
        _, self.read = tree_of(one.leaf.leaf for one in self.placed)

    @staticmethod
    def _placed(records: list[Record]) -> tuple[list[Placed], Frontier]:
        tree, placed_ = place(Frontier(), ((one, bytes([n % 256]) * 32) for n, one in enumerate(records)))
        return placed_, tree

    def hashes(self, index: int) -> list[str]:
        return [text(one) for one in merkle.hashes(merkle.inclusion(index, self.size), self.read)]

    def statement(self) -> dict[str, Any]:
        own = self.placed[COUNT]
        return {
            "id": "st-1",
            "head": self.head,
            "record": {
                "index": COUNT,
                "leaf": text(own.leaf.leaf),
                "detail": own.leaf.detail,
                "salt": text(own.leaf.salt),
                "hashes": self.hashes(COUNT),
            },
            "checkpoint": self.note,
            "lines": [
                {
                    "text": one.text,
                    "hashes": self.hashes(one.index),
                    **(
                        {
                            "detail": self.placed[one.index].leaf.detail,
                            "salt": text(self.placed[one.index].leaf.salt),
                        }
                        if one.detailed
                        else {}
                    ),
                }
                for one in self.lines
            ],
        }

    def receipt(self, index: int, *, detailed: bool = True) -> dict[str, Any]:
        one = self.placed[index]
        detail = {"detail": one.leaf.detail, "salt": text(one.leaf.salt)} if detailed else {}
        return {
            "entry": {"id": one.record.id, "index": index, **detail},
            "proof": {
                "index": index,
                "size": self.size,
                "leaf": text(one.leaf.leaf),
                "hashes": self.hashes(index),
            },
            "checkpoint": {
                "origin": self.sign.name,
                "size": self.size,
                "root_hash": text(self.root),
                "note": self.note,
            },
        }


LOG = Log()


def check(what: str, file: Any) -> verifier.Checked:
    body = file if isinstance(file, bytes) else json.dumps(file).encode()
    return verifier.verify(what, io.BytesIO(body), KEY)


def refused(what: str, file: Any) -> str:
    with pytest.raises(verifier.Wrong) as found:
        check(what, file)
    return str(found.value)


def test_receipts_and_statements_as_they_were_made_are_accepted() -> None:
    for index in range(LOG.size):
        assert check("receipt", LOG.receipt(index)).details == 1
        assert check("receipt", LOG.receipt(index, detailed=False)).details == 0
    assert check("statement", LOG.statement())[1:] == (COUNT, COUNT - 2)


def test_without_its_details_a_statement_still_holds() -> None:
    file = LOG.statement()
    file["lines"] = [{"text": one["text"], "hashes": one["hashes"]} for one in file["lines"]]
    assert check("statement", file)[1:] == (COUNT, 0)


@pytest.mark.parametrize("place", range(COUNT))
def test_a_line_taken_out_doubled_or_moved_is_found(place: int) -> None:
    file = LOG.statement()
    lines = file["lines"]
    for other in (
        lines[:place] + lines[place + 1 :],
        [*lines, lines[place]],
        [*lines[place:], *lines[:place]] if place else lines[::-1],
    ):
        assert "committed" in refused("statement", {**file, "lines": other})


def test_a_statement_with_a_head_that_says_less_is_found() -> None:
    file = LOG.statement()
    head = json.loads(file["head"])
    fewer = statements.head(**{**head, "lines": COUNT - 1})
    assert "committed" in refused("statement", {**file, "head": fewer, "lines": file["lines"][:-1]})


def test_another_logs_key_checkpoint_or_size_is_refused() -> None:
    other = Log(Signer(ORIGIN, Ed25519PrivateKey.generate()))
    renamed = Log(Signer("other.example/log", signer().key))
    for one in (other, renamed):
        refused("statement", one.statement())
        refused("receipt", one.receipt(1))
    before, _ = tree_of(one.leaf.leaf for one in LOG.placed[:COUNT])
    older = signer().sign(str(Statement(ORIGIN, before.size, before.root)))
    refused("statement", {**LOG.statement(), "checkpoint": older})
    refused("receipt", {**LOG.receipt(5), "proof": LOG.receipt(6)["proof"]})


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"{", b"[" * 100_000, b'{"id":1}', b"\xff\xfe", b'{"lines":5,"lines":5}'],
)
def test_what_is_no_file_of_ours_is_refused(body: bytes) -> None:
    refused("statement", body)
    refused("receipt", body)


HOSTILE = (
    None,
    True,
    0,
    -1,
    2**70,
    "",
    "x",
    "AAAA",
    [],
    {},
    [None],
    {"id": {}},
    "\u202e",
    "é",
    "\ud800",
    "\n",
    1.5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, one in value.items():
            found += places(one, (*path, name))
    elif isinstance(value, list):
        for place_, one in enumerate(value):
            found += places(one, (*path, place_))
    return found


def spoil(chance: random.Random, file: Any) -> Any:
    """One change somewhere: another value, one less, one more, a character of a text, a neighbour's value."""
    spoilt = json.loads(json.dumps(file))
    path = chance.choice(places(spoilt))
    at = spoilt
    for step in path[:-1]:
        at = at[step]
    last, old = path[-1], at[path[-1]]
    match chance.randrange(5):
        case 0:
            at[last] = chance.choice(HOSTILE)
        case 1:
            del at[last]
        case 2 if isinstance(old, str) and old:
            where = chance.randrange(len(old))
            at[last] = (
                old[:where] + chance.choice(("", "A", "\u00a0", '"', old[where] * 2)) + old[where + 1 :]
            )
        case 3 if isinstance(old, int):
            at[last] = old + chance.choice((-1, 1, 2**40))
        case 4 if isinstance(old, list):
            at[last] = [*old, chance.choice(old or [""])] if chance.random() < 0.5 else old[::-1]
        case _:
            at[last] = [old]
    return spoilt


@pytest.mark.parametrize("what", ["receipt", "statement"])
def test_of_thousands_of_hostile_changes_none_is_accepted(what: str) -> None:
    chance = random.Random(6)
    tried = 0
    small = LOG.statement()
    for _ in range(7000 if what == "receipt" else 2000):
        file = LOG.receipt(chance.randrange(LOG.size)) if what == "receipt" else small
        spoilt = spoil(chance, file)
        if json.dumps(spoilt) == json.dumps(file):
            continue
        tried += 1
        with pytest.raises(verifier.Wrong):
            check(what, spoilt)
    assert tried > 600


def test_any_byte_replaced_is_found_or_says_the_same() -> None:
    chance = random.Random(7)
    body = json.dumps(LOG.receipt(3)).encode()
    for _ in range(3000):
        place_ = chance.randrange(len(body))
        other = body[:place_] + bytes([chance.randrange(256)]) + body[place_ + 1 :]
        try:
            same = json.loads(other) == json.loads(body)
        except ValueError:
            same = False
        if not same:
            refused("receipt", other)


# --- what counts ---


def case(*sections: str, id_: str = CASE) -> Object:
    return Object(type="case", id=id_, agency_id="police", sections=sections)


def counts(one: Record, held: list[Span]) -> bool:
    return statements.counted(0, one, SUBJECT, held) is not None


def test_an_entry_counts_while_the_case_holds_the_subject_and_only_with_sections_that_tell() -> None:
    held = [Span(CASE, NOW, NOW.replace(hour=13))]
    assert counts(record(1, objects=(case("subjects"),)), held)
    assert counts(record(1, objects=(case("timeline", "victim"),)), held)
    assert not counts(record(1, objects=(case("timeline"),)), held)
    assert not counts(record(1, objects=(case("subjects", id_="other"),)), held)
    assert not counts(record(3600, objects=(case("subjects"),)), held)
    assert not counts(record(-1, objects=(case("subjects"),)), held)
    assert not counts(record(1, objects=(case("subjects"),), outcome="refused"), held)
    assert counts(record(9999, objects=(Object(type="subject", id=SUBJECT),)), held)
    assert not counts(record(1, objects=(case("subjects"),), operation="alteration", outcome="done"), held)
    issued = {"action": "statement.issue", "operation": "disclosure", "outcome": "done", "how": None}
    assert not counts(record(1, objects=(Object(type="subject", id=SUBJECT),), **issued), held)


def test_the_log_says_since_when_and_until_when_a_case_held_somebody() -> None:
    def done(number: int, action: str, id_: str = CASE) -> Record:
        return record(
            number, action=action, outcome="done", objects=(case(id_=id_), Object(type="subject", id=SUBJECT))
        )

    log = [done(9, "case.remove_subject"), done(5, "case.put_subject"), done(20, "case.create", "case-2")]
    opened = NOW.replace(year=2025)
    found = statements.spans(log, {"case-2": opened, "case-3": opened})
    assert [(one.case_id, one.since, one.until) for one in found] == [
        (CASE, log[1].at, log[0].at),
        ("case-2", log[2].at, None),
        ("case-3", opened, None),
    ]


def test_the_power_is_the_share_in_force_then() -> None:
    def power(share: str, since: int, until: int | None) -> GrantedPower:
        at = [NOW.replace(minute=one) if one is not None else None for one in (since, until)]
        assert at[0] is not None
        return GrantedPower(
            case_id=CASE,
            share_id=share,
            agency_id="nhs",
            purpose="asb",
            legal_gateway="cda_115",
            protocol_id="p",
            regime="part3",
            since=at[0],
            until=at[1],
        )

    powers = [power("first", 1, 10), power("second", 5, None)]
    nurse = Actor(kind="user", id="nurse", agency_id="nhs")

    def of(one: Record) -> Any:
        told = statements.counted(0, one, SUBJECT, [Span(CASE, NOW)])
        assert told is not None
        return statements.power_of(told, powers)

    assert of(look(120, actor=nurse)).share_id == "first"
    assert of(look(3000, actor=nurse)).share_id == "second"
    assert of(look(30, actor=nurse)) is None
    assert of(look(120)) is None  # the owner's own
