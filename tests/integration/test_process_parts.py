"""A process under eventlet: what it says, what it answers about itself, and how it keeps its hub turning."""

from __future__ import annotations

import json

import pytest

from tests.eventlet_process import ChildProcess, run

CHILDREN = "tests.integration.process_children"
NAME = "Margaret Hollis of 4 Elm Row"


def test_nothing_that_a_sealed_process_prints_holds_personal_data() -> None:
    with ChildProcess(f"{CHILDREN}:said_everywhere", name=NAME) as child:
        _, printed, errors = child.output()
    assert not [word for word in ("Margaret", "Hollis", "Elm") if word in printed + errors]
    lines = [json.loads(line) for line in printed.splitlines() if line]
    assert all(line["service"] == "echo" for line in lines)
    assert errors == ""
    assert {"uncaught", "record", "failed", "output_withheld", "[withheld]"} == {
        line["event"] for line in lines
    }
    assert {"builtins.ValueError"} == {told["type"] for line in lines for told in line.get("errors", ())}


def test_a_process_answers_about_itself_over_http() -> None:
    seen = run(f"{CHILDREN}:served", checks={"broker": True, "database": False})
    answers = seen["answers"]
    assert answers["/livez"] == [200, '{"status": "alive"}']
    assert answers["/readyz"][0] == 503
    assert json.loads(answers["/readyz"][1]) == {"status": "not_ready", "failing": ["database"]}
    assert answers["/metrics"][0] == 200
    assert answers["/x"][0] == 404
    # The hub stood still for 0.3 s before the first look, and not between the first and the second.
    assert seen["gaps"][0] > 0.2 > seen["gaps"][1]
    assert seen["many"] == [200] * 40


def test_heavy_work_leaves_the_hub_free_and_passwords_go_two_at_a_time() -> None:
    seen = run(f"{CHILDREN}:offloaded")
    assert seen["log_ins"] == [str(bool(number % 2)) for number in range(6)]
    assert seen["most_at_once"] == 2
    assert seen["sums"] == [sum(range(200_000 + number)) for number in range(4)]
    assert seen["longest_gap"] < 0.2
    assert (seen["broken"], seen["outdated"]) == (False, False)


def test_work_that_finds_no_place_in_time_is_told_so() -> None:
    seen = run(f"{CHILDREN}:crowded")
    assert (seen["code"], seen["raised"], seen["afterwards"]) == ("busy", True, 0)
    assert seen["waited"] == pytest.approx(0.1, abs=0.1)


def test_spans_are_sent_to_the_collector() -> None:
    seen = run(f"{CHILDREN}:exported")
    assert seen["received"] == ["/v1/traces"]
    assert seen["passed_on"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
