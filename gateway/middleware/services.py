"""Opens the way to the services when the server starts, and closes it when it stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.changes import LiveChanges
from services.chassis.aio import AsyncCalls


class Services:
    """The broker need not be there yet: until it is, calls are answered with 503."""

    def __init__(self, calls: AsyncCalls, changes: LiveChanges) -> None:
        self._calls, self._changes = calls, changes

    async def process_startup(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        await self._calls.start()

    async def process_shutdown(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        await self._changes.stop()
        await self._calls.stop()
