"""Gives a service the settings of its process: of the class that it names as `settings_model`."""

from __future__ import annotations

from typing import Any

from nameko.extensions import DependencyProvider


class Configured(DependencyProvider):  # type: ignore[misc]
    """`settings: SharingSettings = Configured()`."""

    def get_dependency(self, worker_ctx: object) -> Any:
        return self.container.config["settings"]
