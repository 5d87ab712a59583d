"""Checkpoints of the audit log, to the systems that asked for them: so that an agency can see, by comparing,
whether the log shows everybody the same history.

A subscription has one of them pending at most, and a turn every so often: what was signed in between is left
out, for the newest says it all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.chassis.timers import every
from services.contracts.envelope import new_event_id
from services.contracts.errors import Unavailable
from services.contracts.witnesses import NewestCheckpoint, SignedCheckpoint
from services.notify.domain.checkpoints import CHECKPOINT_SIGNED, checkpoint_of
from services.notify.handlers.parts import Parts
from services.notify.knowing import active

AT_ONCE = 200
"""Subscriptions at one turn: as many as `sharing` is asked about in one call."""


class Feeding(Parts):
    """Harmless when two instances do it at once: a turn is taken in the transaction of its delivery."""

    @every(2.0)
    def feed_checkpoints(self) -> None:
        """Give the newest checkpoint to whose turn it is. What is away now is asked at the next turn."""
        before = datetime.now(UTC) - timedelta(seconds=self.settings.notify_checkpoint_every)
        try:
            if not self.subscriptions.hungry(CHECKPOINT_SIGNED, before, 1):
                return
            signed: SignedCheckpoint = self.audit.call(
                "newest_checkpoint", NewestCheckpoint(), reply=SignedCheckpoint
            )
            newest = checkpoint_of(signed, new_event_id())
            hungry = self.subscriptions.hungry(CHECKPOINT_SIGNED, before, AT_ONCE, newest.tree)
            may = active(self.sharing, {client_id for _, client_id in hungry})
            for one in hungry:
                self.deliveries.feed(newest, one, self.subscriptions, before, give=one[1] in may)
        except Unavailable:
            return
