"""Mend a database of sharing that an older copy was put back into, or look whether there is need to.

    python -m services.sharing.reconcile [--check | --restored] [--seconds N]

Run with sharing's own environment (MONGO_URL or MONGO_URL_FILE), while sharing, cases and notify run: it asks
one process of sharing to do it, and tells what came of it, ids alone, a line for each difference. Interrupted
or given again, it waits for what is being done already.

Exit code 0: done, or nothing to do. 1: with --check, there is something to do; or a list that `cases` holds
is damaged. 2: it could not be done.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.chassis.mongo import connect
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.sharing.domain.mending import Told
from services.sharing.settings import SharingSettings
from services.sharing.stores.marks import Marked, MarkStore
from services.sharing.stores.reconciling import Job, ReconcileStore

LOOK_EVERY = 0.2
BEGINS_WITHIN = 30.0
"""Seconds in which a process of sharing has begun, if there is one."""
PAGE = 500
NOTHING_NOTICED = (
    "Nothing to reconcile: nobody has seen more than this database has. If you know that an older copy was"
    " put back, say --restored; --check only looks."
)


class Trouble(Exception):
    """It could not be done; the text says why."""


def reconcile(store: ReconcileStore, job: Job, seconds: float) -> Job:
    """Wait until it is done. Raises Trouble."""
    began = time.monotonic()
    while True:
        present = store.job()
        if present is None or present.run != job.run:
            raise Trouble("Somebody has asked for another reconciliation meanwhile.")
        if present.state == "done":
            return present
        waited = time.monotonic() - began
        if present.state == "asked" and waited > BEGINS_WITHIN:
            raise Trouble(
                "No process of sharing takes it up: start sharing, cases and notify, then try again."
            )
        if waited > seconds:
            raise Trouble(
                "It goes on, and takes longer than --seconds. Give the command again to wait for it."
            )
        time.sleep(LOOK_EVERY)


def lines(found: Marked, job: Job, told: Iterator[tuple[str, tuple[Told, ...]]]) -> Iterator[str]:
    """What is told of it: a table of what is otherwise, then the whole in words."""
    first = True
    for case_id, each in told:
        if first:
            yield f"{'case':38}{'what':18}id"
            first = False
        for one in each:
            yield f"{case_id:38}{one.what:18}{one.id}"
    yield f"{job.cases} cases looked at, {job.differing} of them otherwise than in the copy."
    if job.unreadable:
        yield (
            f"{job.unreadable} lists that cases holds are damaged (list_unreadable): those cases are their"
            " owner's alone now, or shut to everybody where no owner is known. Shares have to be given anew."
        )
    seen, as_of = (found.restored.seen, found.restored.as_of) if found.restored else (job.seen, job.as_of)
    if seen is None:
        return
    when = as_of.isoformat(timespec="seconds").replace("+00:00", "Z") if as_of else "an unknown time"
    yield f"The copy is of {when}. People, agencies, protocols and procedures are as they were then."
    since = seen.standing - found.mark.standing
    if job.check and since > 0:
        yield f"Agencies, protocols or procedures were changed {since} times since then."
    yield "The log has what was done since: do it again (deploy/README.md, Restoring sharing)."


def _told(store: ReconcileStore, run: str) -> Iterator[tuple[str, tuple[Told, ...]]]:
    after: str | None = None
    while found := store.told(run, after, PAGE):
        yield from found
        after = found[-1][0]


def run(marks: MarkStore, store: ReconcileStore, given: argparse.Namespace) -> int:
    """Raises Trouble, and what the database raises."""
    now = datetime.now(UTC)
    if given.restored:
        marks.declare(now)
    found, present = marks.read(), store.job()
    going_on = present is not None and present.state != "done"
    if found.restored is None and not given.check and not going_on:
        sys.stdout.write(NOTHING_NOTICED + "\n")
        return 0
    job = store.ask(new_event_id(), check=given.check, now=now)
    if job.check != given.check:
        reconcile(store, job, given.seconds)  # what another has asked for comes first
        job = store.ask(new_event_id(), check=given.check, now=now)
    done = reconcile(store, job, given.seconds)
    for line in lines(found, done, _told(store, done.run)):
        sys.stdout.write(line + "\n")
    if not given.check:
        return int(done.unreadable > 0)
    return int(found.restored is not None or done.differing > 0)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.sharing.reconcile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look; exit code 1 when something is to do")
    parser.add_argument("--restored", action="store_true", help="an older copy was put back, noticed or not")
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long to wait for it")
    given = parser.parse_args(arguments)
    if given.check and given.restored:
        parser.error("--check changes nothing, and --restored does")
    # The broker is not used, so its address need not be given.
    if not os.environ.get("RABBITMQ_URL_FILE"):
        os.environ.setdefault("RABBITMQ_URL", "amqp://unused")
    settings = SharingSettings(service="sharing")
    if settings.mongo_url is None:
        parser.error("set MONGO_URL or MONGO_URL_FILE")
    with connect(settings.mongo_url.get_secret_value(), app="reconcile") as client:
        database = client[settings.mongo_database]
        try:
            return run(MarkStore(database), ReconcileStore(database), given)
        except ConcordatError as problem:
            sys.stderr.write(f"{problem.code}: {problem.title}\n")
        except Trouble as trouble:
            sys.stderr.write(f"{trouble}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
