"""CSV files as people have them: UTF-8 with or without a mark, any order of columns, spaces after commas."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.launcher.trouble import Trouble

ERROR_COLUMNS = ("line", "code", "pointer", "detail")
"""What an error file has beside the original columns; ignored when it is imported again."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One record: `line` is where it ends in the file, `cells` its values by column, without outer spaces."""

    line: int
    cells: Cells
    stray: bool = False
    """It has more values than there are columns."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken: as a problem of the API says it. Never a value."""

    code: str
    pointer: str
    detail: str


class RowProblem(Exception):
    """The row cannot be sent."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(code)
        self.fault = Fault(code, pointer, detail)


@dataclass(frozen=True)
class Kind:
    """What a file of this kind may say. `columns` gives, for each column's name, its field here.

    `body` makes the request's body from the fields; it raises RowProblem. `reference` is the field by which
    a second run recognises a row.
    """

    path: str
    columns: Mapping[str, str]
    reference: str
    body: Callable[[Cells], dict[str, Any]]
    left_out: frozenset[str] = frozenset()
    already: frozenset[str] = field(default_factory=lambda: frozenset({"already_exists"}))
    """Codes that say: it is there."""

    def fields(self, row: Row) -> dict[str, str]:
        """The values by field; empty ones are absent. Raises RowProblem."""
        if row.stray:
            raise RowProblem("too_many", "", "There are more values than columns.")
        found = {
            self.columns[name]: value for name, value in row.cells.items() if name in self.columns and value
        }
        if self.reference not in found:
            raise RowProblem("required", "", f"Column {self.names_of(self.reference)} is empty.")
        return found

    def names_of(self, wanted: str) -> str:
        return " or ".join(name for name, known in self.columns.items() if known == wanted)


@dataclass(frozen=True)
class Table:
    """A file whose columns are known."""

    path: Path
    columns: Sequence[str]
    unused: Sequence[str]
    rows: int

    def __iter__(self) -> Iterator[Row]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            reader.fieldnames = list(self.columns)
            next(reader.reader, None)
            yield from (_row(reader.line_num, cells) for cells in reader)


def open_table(path: Path, kind: Kind) -> Table:
    """Read the whole file once, so that what is wrong with it is told before anything is sent.

    Raises Trouble: unreadable, not UTF-8, not CSV, columns unknown, doubled or missing.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            columns = [name.strip().lower() for name in next(reader, [])]
            _check(path, columns, kind)
            rows = sum(1 for values in reader if values)
    except UnicodeDecodeError:
        raise Trouble(f"{path} is not UTF-8. Save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise Trouble(f"{path} is not CSV ({error}).") from None
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({error.strerror}).") from None
    unused = [name for name in columns if name in kind.left_out]
    return Table(path, columns, unused, rows)


def _check(path: Path, columns: list[str], kind: Kind) -> None:
    known = {*kind.columns, *kind.left_out, *ERROR_COLUMNS}
    if kind.reference not in {kind.columns.get(name) for name in columns}:
        raise Trouble(
            f"{path} has no column {kind.names_of(kind.reference)}: by it a second run knows what is there."
        )
    if strange := [str(place) for place, name in enumerate(columns, 1) if name not in known]:
        # Their names are not told: the first line may hold data.
        raise Trouble(
            f"{path}: nobody knows what the columns number {', '.join(strange)} mean. "
            f"Known: {', '.join(sorted(known))}."
        )
    fields = [kind.columns[name] for name in columns if name in kind.columns]
    if doubled := sorted({name for name in fields if fields.count(name) > 1}):
        raise Trouble(f"{path} has two columns for {', '.join(doubled)}.")


def _row(line: int, cells: dict[Any, Any]) -> Row:
    stray = cells.pop(None, None) is not None
    return Row(line, {name: (value or "").strip() for name, value in cells.items()}, stray)
