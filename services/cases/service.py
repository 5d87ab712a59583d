"""What is known: subjects, cases, entries, tasks, and which of it a reader may see."""

from __future__ import annotations

from services.cases.handlers.authority import Authority
from services.cases.handlers.case_changes import ChangesCases
from services.cases.handlers.chronology import ChronologyHandlers
from services.cases.handlers.entries import Entries
from services.cases.handlers.holding import CasesOfSubjects
from services.cases.handlers.links import LinkHandlers
from services.cases.handlers.seen import SeenMarks
from services.cases.handlers.subjects import SubjectHandlers
from services.cases.handlers.tasks import Tasks
from services.cases.handlers.witnessing import Witnessing
from services.cases.stores import cases, entries, reads, reasons, tasks, transitions
from services.cases.stores.witnessed import WitnessStore
from services.chassis import outbox
from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands
from services.chassis.recording import Keeper, Recording
from services.chassis.stored import Stored


class CasesService(
    ChangesCases,
    Entries,
    Tasks,
    SubjectHandlers,
    LinkHandlers,
    ChronologyHandlers,
    CasesOfSubjects,
    Authority,
    SeenMarks,
    Witnessing,
):
    """What is known."""

    name = "cases"

    cases: cases.CaseStore = Stored(cases.CaseStore, (*outbox.STEPS, *cases.STEPS))
    entries: entries.EntryStore = Stored(entries.EntryStore, entries.STEPS)
    tasks: tasks.TaskStore = Stored(tasks.TaskStore, tasks.STEPS)
    transitions: transitions.TransitionStore = Stored(transitions.TransitionStore, transitions.STEPS)
    reasons: reasons.ReasonStore = Stored(reasons.ReasonStore, reasons.STEPS)
    reads: reads.ReadStore = Stored(reads.ReadStore, reads.STEPS)
    witnessed: WitnessStore = Stored(WitnessStore)
    commands: CommandLog = Commands()
    records: Keeper = Recording()
    sharing: Peer = Remote("sharing")
