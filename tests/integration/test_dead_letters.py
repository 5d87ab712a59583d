"""`concordat queues dead`, `replay` and `discard`, on a broker with dead letters of each sort."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.topology import CALLS, dead_queue
from tests.cell import Parts
from tests.integration.audit_children import Holder
from tests.integration.calling import ECHO, Ear, instances
from tests.unit.audit.logs import record
from tests.waiting import until

CONCORDAT = Path(sys.executable).with_name("concordat")
AUDIT, FUSSY = "services.audit.service:AuditService", "tests.integration.audit_children:FussyAudit"

Queues = Callable[..., str]


@pytest.fixture
def queues(parts: Parts, tmp_path: Path) -> Queues:
    """Run `concordat queues` as the operator; what it said."""
    url = tmp_path / "url"
    url.write_text(parts.rabbitmq_url("operator"))

    def run(*arguments: str, answer: str = "", expect: int = 0) -> str:
        command = [str(CONCORDAT), "queues", *arguments, "--url-file", str(url)]
        done = subprocess.run(command, input=answer, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(autouse=True)
def none_before(ear: Ear) -> None:
    """This broker has been used by other tests."""
    for service in ("echo", "mirror", "audit"):
        ear.taken(dead_queue(service))


def test_refused_requests_are_counted_and_deleted_after_a_yes(
    parts: Parts, ear: Ear, queues: Queues, tmp_path: Path
) -> None:
    with instances(parts, tmp_path, ECHO) as (echo,):
        for number in range(3):
            ear.publish(b"not sealed %d" % number, exchange=CALLS, key="echo.say", reply_to="nowhere")
        until(lambda: echo.count("dead_letter") == 3)
    said = until(lambda: text if "no way back" in (text := queues("dead", "echo")) else None)
    assert "rpc-echo" in said
    assert "Delete 3 for good?" in queues("discard", "echo", answer="n\n", expect=1)
    assert "echo: 3 deleted" in queues("discard", "echo", answer="y\n")
    assert "echo: nothing there" in queues("discard", "echo")


def test_what_could_be_replayed_is_deleted_only_when_that_is_asked_for(ear: Ear, queues: Queues) -> None:
    noted = {"x-queue": "evt-echo--mirror", "x-reason": "attempts"}
    for headers in (noted, {**noted, "x-queue": "rpc-mirror"}):
        ear.publish(b"{}", exchange="mirror.retries", key=dead_queue("mirror"), headers=headers)
    assert "mirror: 1 deleted" in queues("discard", "mirror", "--yes")
    assert "possible" in queues("dead", "mirror")
    assert "mirror: nothing there" in queues("discard", "mirror", "--yes")
    assert "mirror: 1 deleted" in queues("discard", "mirror", "--all", "--yes")


def test_a_record_that_was_put_aside_is_replayed_into_the_log_once(
    parts: Parts, ear: Ear, queues: Queues, tmp_path: Path
) -> None:
    holder = Holder(parts, ear)
    with instances(parts, tmp_path, FUSSY) as (fussy,):
        holder.keep(record(9, request_id="poison"))
        until(lambda: fussy.count("records_not_taken") > 2)
        holder.keep(record(1))
        until(lambda: fussy.count("record_dead") == 1, seconds=20)
        holder.publish(b"\1 not sealed at all")
        until(lambda: fussy.count("record_dead") == 2)
    said = queues("dead", "audit")
    assert "not_taken" in said
    with instances(parts, tmp_path, AUDIT) as (audit,):
        assert "audit: 2 replayed, 0 kept" in queues("replay", "audit")
        until(lambda: audit.metric('records_total{outcome="logged"}') == 1)
        until(lambda: audit.count("record_dead") == 1)  # what is not sealed comes back to where it was
    assert "not_sealed_for_us" in queues("dead", "audit")
    assert "audit: 1 deleted" in queues("discard", "audit", "--all", "--yes")


def test_a_service_without_dead_letters_is_named_with_those_that_may_have_some(queues: Queues) -> None:
    assert "gateway has no dead letters. Services that may: audit, cases" in queues(
        "dead", "gateway", expect=1
    )
