"""Where a cell keeps what: one folder, readable by its user alone, that can be deleted when the cell is
down.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.trouble import Trouble

CHECKOUT = Path(__file__).resolve().parents[2]

MARK = "CONCORDAT_CELL"
"""Environment variable that every process of a cell carries; its value is the cell's folder."""

LONGEST_SOCKET = 80
"""Linux allows 107 bytes for a socket's path; supervisord adds its pid to it while it starts."""


@dataclass(frozen=True)
class Places:
    """The paths below a cell's folder."""

    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def keys(self) -> Path:
        return self.secrets / "keys"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def settings(self) -> Path:
        return self.root / "settings"

    @property
    def state(self) -> Path:
        return self.root / "cell.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def supervisor_pid(self) -> Path:
        return self.root / "supervisor.pid"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    def data(self, program: str, *, cluster: bool) -> Path:
        """A single node and a cluster never share data: neither can start on the other's."""
        return self.root / "data" / ("cluster" if cluster else "single") / program

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    def make(self) -> None:
        """Create the folders, 0700. Raises Trouble when the place cannot be written."""
        try:
            for folder in (self.root, self.secrets, self.logs, self.settings, self.root / "data"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
        except OSError as error:
            raise Trouble(
                f"{self.root} cannot be written ({error.strerror}). Choose another folder with --data."
            ) from None

    def socket(self) -> Path:
        """Of the supervisor: here, or where the path is short enough when this folder lies too deep."""
        here = self.root / "supervisor.sock"
        return here if len(os.fsencode(here)) <= LONGEST_SOCKET else self._short_socket()

    def _short_socket(self) -> Path:
        link = self.root / "supervisor.place"
        with suppress(OSError):
            folder = Path(os.readlink(link))
            if folder.is_dir() and folder.stat().st_uid == os.getuid():
                return folder / "s"
        link.unlink(missing_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="concordat-"))
        link.symlink_to(folder)
        return folder / "s"

    def forget_socket(self) -> None:
        """Remove the folder that `socket` may have made elsewhere."""
        link = self.root / "supervisor.place"
        if link.is_symlink():
            folder = Path(os.readlink(link))
            with suppress(OSError):
                (folder / "s").unlink(missing_ok=True)
                folder.rmdir()
            link.unlink(missing_ok=True)
