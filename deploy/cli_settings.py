"""`concordat settings`: every key that a service reads from its environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from services.chassis.settings import Setting


def settings() -> None:
    """List every setting of a service, and what some have besides: type, default and meaning."""
    # 0.15 s that no other command should wait for
    from gateway.settings import GatewaySettings
    from services.audit.settings import AuditSettings
    from services.chassis.settings import describe
    from services.notify.settings import NotifySettings
    from services.sharing.settings import SharingSettings

    common = describe()
    _show("every service and the gateway", common)
    own = (
        ("the gateway", GatewaySettings),
        ("sharing", SharingSettings),
        ("audit", AuditSettings),
        ("notify", NotifySettings),
    )
    for who, model in own:
        _show(f"{who} alone", [one for one in describe(model) if one not in common])


def _show(title: str, settings: Sequence[Setting]) -> None:
    table = Table("setting", "type", "default", "meaning", title=title, title_justify="left")
    for setting in settings:
        table.add_row(setting.key, setting.type, setting.default, setting.doc)
    Console().print(table)
