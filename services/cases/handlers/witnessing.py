"""What `sharing` asks to know whether it is its newest self, and to mend itself when it is not."""

from __future__ import annotations

from services.cases.stores.witnessed import WitnessStore
from services.chassis.logs import log
from services.chassis.rpc import command, rpc
from services.contracts.restores import (
    PAGE,
    AuthorityMark,
    GetListsHeld,
    ListsHeld,
    WitnessAuthority,
)


class Witnessing:
    witnessed: WitnessStore

    @command(callers=("sharing",))
    def witness_authority(self, request: WitnessAuthority) -> AuthorityMark:
        """Remember how far `sharing` has come; how far it ever had. The same again changes nothing."""
        return self.witnessed.witness(request.mark)

    @rpc(callers=("sharing",))
    def lists_held(self, request: GetListsHeld) -> ListsHeld:
        """The access list of every case that there is, in the order of their ids. One that is damaged does
        not keep the others back."""
        held, unreadable = self.witnessed.lists(request.after, PAGE)
        if unreadable:
            log.error("list_unreadable", count=len(unreadable))
        return ListsHeld(items=held, unreadable=unreadable)
