"""Progress of long work: a bar on a terminal, plain lines elsewhere, nothing unless asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

__all__ = ["Bar", "Lines", "Progress", "Report", "Silent", "for_console"]

Report = Callable[[int, int], None]  # (done, of how many)


class Progress(Protocol):
    """Shows stages of work."""

    def stage(self, name: str, total: int, unit: str) -> AbstractContextManager[Report]:
        """Begin a stage of about ``total`` things; gives a function to call with ``(done, total)`` as it goes."""
        ...

    def say(self, text: str) -> None:
        """One line for the reader."""
        ...


class Silent:
    """Shows nothing; the default of the Python API."""

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Report]:  # noqa: ARG002 - the protocol's signature
        """Begin a stage that nobody watches."""
        yield lambda done, total: None  # noqa: ARG005 - likewise

    def say(self, text: str) -> None:
        """Say nothing."""


class Lines:
    """A plain line when a stage ends, and every ten seconds while it lasts; for logs."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console, self._every = console, every

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Report]:
        """Begin a stage; a line tells what is done, the rate and the time left."""
        began = last = time.monotonic()
        done_last, total_last, done_shown = 0, total, 0

        def report(done: int, total: int) -> None:
            nonlocal last, done_last, total_last, done_shown
            done_last, total_last = done, total
            now = time.monotonic()
            if now - last >= self._every and done > done_shown:
                # Since the last line, not since the beginning: what a stopped run had done came at once.
                rate = (done - done_shown) / (now - last)
                last, done_shown = now, done
                left = (total - done) / rate
                self.say(f"{name}: {done:,} of {total:,} {unit}, {rate:,.1f} a second, {left:,.0f} s left")

        yield report
        seconds = time.monotonic() - began
        self.say(f"{name}: {done_last:,} of {total_last:,} {unit} in {seconds:,.1f} s")

    def say(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class Bar:
    """A bar with the rate and the time left, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Report]:
        """Begin a stage with a bar of its own."""
        columns = (
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}  {task.fields[rate]}", style="dim"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        with Bars(*columns, console=self._console) as bars:
            task = bars.add_task(name, total=total, unit=unit, rate="")

            def report(done: int, total: int) -> None:
                bars.update(task, completed=done, total=total)
                speed = bars.tasks[0].speed  # of late, not since the beginning
                bars.update(task, rate=f"{speed:,.0f}/s" if speed else "")

            yield report

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def for_console(console: Console) -> Progress:
    """Bars where the console is a terminal, plain lines elsewhere."""
    return Bar(console) if console.is_terminal else Lines(console)
