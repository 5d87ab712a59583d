"""The chassis's server.

python -m services.chassis.runner tests.bench.contenders.chassis_service:EchoService
"""

from __future__ import annotations

from services.chassis.rpc import rpc
from services.contracts.caller import Caller
from services.contracts.echo import Said, Say


class EchoService:
    """Echoes to a caller that `sharing` vouches for."""

    name = "echo"

    @rpc()
    def say(self, request: Say, caller: Caller) -> Said:
        return Said(text=request.text)
