"""What each part came to, for people and for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from tests.bench.figures import Report
from tests.checks.disclosure.channels import CHANNELS
from tests.checks.disclosure.joining import Joined
from tests.checks.disclosure.lost_disk import Lost
from tests.checks.disclosure.scene import Came
from tests.checks.trouble import Trouble

REFUSED_WITHIN = 5.0
"""Seconds within which a read is refused when it cannot be recorded (issue 6)."""

console = Console(highlight=False, soft_wrap=True)


def tell(came: Came, wanted: int, report: Report, part: str = "") -> None:
    """What must hold of every part."""
    joined = came.joined
    report.remarks += _faults(joined)
    for kind in ("missing", "doubled", "mismatched"):
        report.add(f"{part}{kind}", len(getattr(joined, kind)), "disclosures", "== 0")
    report.add(f"{part}disclosures", joined.disclosures, "disclosures", f">= {wanted}")
    report.add(f"{part}log not as it was signed", int(not came.whole), "logs", "== 0")
    tell_trouble(came.trouble)


def tell_trouble(trouble: Trouble) -> None:
    for act, number in Counter(trouble.done).items():
        console.print(f"{number:7} x {act}")
    for line in trouble.failed:
        console.print(f"NOT DONE {line}")


def tell_main(came: Came, leaked: Sequence[str], searched: int, acts: int, report: Report) -> None:
    """What is asked of the long part alone: every channel, every act, no leak."""
    joined = came.joined
    for place in leaked[:10]:
        console.print(f"LEAK {place}")
    for channel, number in sorted(joined.channels.items()):
        console.print(f"{number:7} {channel}")
    dumb = [channel for channel in CHANNELS if not joined.channels[channel]]
    if dumb:
        console.print(f"NEVER SEEN {', '.join(dumb)}")
    report.add("leaks", len(leaked), "places", "== 0")
    report.add("searched for leaks", searched, "files", ">= 10")
    report.add("refusals", joined.refusals, "refusals", ">= 1")
    report.add("channels", len(CHANNELS), "channels")
    report.add("channels without a disclosure", len(dumb), "channels", "== 0")
    report.add("entries in the log", came.entries, "entries")
    report.add("troubles", len(came.trouble.done), "times")
    report.add("troubles of different kinds", len(came.trouble.kinds), "kinds", f">= {acts}")
    _tell_refusing(came, report)


def _tell_refusing(came: Came, report: Report) -> None:
    """With nobody to take records the intake confirms them; with no room for them nothing is shown."""
    taken = [one for one in came.during("audit_dead") if one.discloses]
    report.add("disclosures while every audit is dead", len(taken), "disclosures", ">= 1")
    refused = [one for one in came.during("disk_alarm") if one.status in {0, 503}]
    report.add("answers refused under a disk alarm", len(refused), "answers", ">= 1")
    slowest = max((one.seconds for one in refused), default=0.0)
    report.add("slowest of them", slowest, "s", f"<= {REFUSED_WITHIN}")


def tell_lost(lost: Lost, wanted: int, report: Report) -> None:
    """The broker's only disk."""
    gone, alarmed = dict(sorted(lost.gone.items())), dict(sorted(lost.alarmed.items()))
    console.print(f"broker's disk lost: gone {gone}, told of by audit {alarmed}")
    part = "broker's disk lost: "
    report.add(f"{part}disclosures before it", lost.disclosures, "disclosures", ">= 1")
    report.add(f"{part}gone with it, refusals too", sum(lost.gone.values()), "records", ">= 1")
    report.add(f"{part}told of by audit", sum(lost.alarmed.values()), "records", ">= 1")
    report.add(f"{part}missing and not noticed", lost.unnoticed, "records", "== 0")
    tell(lost.after, wanted, report, "once it is back: ")


def _faults(joined: Joined) -> list[str]:
    return [
        f"{kind.upper()} {number} x {line}"
        for kind in ("missing", "doubled", "mismatched")
        for line, number in Counter(getattr(joined, kind)).most_common(30)
    ]
