"""Figures and scores as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Report

_WIDTH = 130
"""Where the output is no terminal, such as in CI's log."""
_console = Console(highlight=False)
if not _console.is_terminal:
    _console = Console(highlight=False, width=_WIDTH)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    _console.print(table)


def show_figures(report: Report) -> None:
    """The figures that have a target, what is to be said of them, and the steal meanwhile."""
    marks = {True: "holds", False: "[bold]DOES NOT HOLD[/bold]"}
    rows = [
        (found.name, f"{found.value:,.2f} {found.unit}", found.target or "", marks[bool(found.holds)])
        for found in report.figures
        if found.target is not None
    ]
    show(f"{report.target}: targets", ("figure", "value", "target", ""), rows)
    for remark in report.remarks:
        _console.print(remark)
    _console.print(f"steal {report.steal:.1%}")
