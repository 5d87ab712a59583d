"""What was seen: the log of every look and every change, and its proofs."""

from __future__ import annotations

from services.audit.handlers.consultations import ConsultationHandlers
from services.audit.handlers.entries import EntryHandlers
from services.audit.handlers.export import ExportHandlers
from services.audit.handlers.following import FollowingHandlers
from services.audit.handlers.intake import IntakeHandlers
from services.audit.handlers.proofs import ProofHandlers
from services.audit.handlers.receipts import ReceiptHandlers
from services.audit.handlers.reviews import ReviewHandlers
from services.audit.handlers.statements import StatementHandlers
from services.audit.handlers.witnesses import WitnessHandlers
from services.audit.settings import AuditSettings
from services.audit.stores.days import STEPS as DAY_STEPS
from services.audit.stores.days import DayStore
from services.audit.stores.entries import EntryStore
from services.audit.stores.statements import STEPS as STATEMENT_STEPS
from services.audit.stores.statements import PickedEntries, PickedLeaves, StatementStore
from services.audit.stores.tree import TreeStore
from services.audit.stores.witnesses import STEPS as WITNESS_STEPS
from services.audit.stores.witnesses import WitnessStore
from services.audit.stores.writer import STEPS, LogWriter
from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands
from services.chassis.configured import Configured
from services.chassis.logkeys import LogKeys, SigningKeys, StoredSealed
from services.chassis.recording import Keeper, Recording
from services.chassis.stored import Stored


class AuditService(
    IntakeHandlers,
    EntryHandlers,
    ProofHandlers,
    ExportHandlers,
    ConsultationHandlers,
    WitnessHandlers,
    ReceiptHandlers,
    StatementHandlers,
    FollowingHandlers,
    ReviewHandlers,
):
    """What was seen."""

    name = "audit"
    settings_model = AuditSettings

    writer: LogWriter = StoredSealed(LogWriter, STEPS)
    tree: TreeStore = Stored(TreeStore)
    entries: EntryStore = StoredSealed(EntryStore)
    witnesses: WitnessStore = Stored(WitnessStore, WITNESS_STEPS)
    statements: StatementStore = Stored(StatementStore, STATEMENT_STEPS)
    picked: PickedEntries = StoredSealed(PickedEntries)
    picked_leaves: PickedLeaves = Stored(PickedLeaves)
    days: DayStore = Stored(DayStore, DAY_STEPS)
    commands: CommandLog = Commands()
    records: Keeper = Recording()
    signing: LogKeys = SigningKeys()
    settings: AuditSettings = Configured()
    sharing: Peer = Remote("sharing")
    cases: Peer = Remote("cases")
