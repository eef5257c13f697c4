"""Progress of long work: a bar on a terminal, plain lines elsewhere, nothing unless asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

__all__ = ["Advance", "Bar", "Lines", "Progress", "Silent", "for_console"]

Advance = Callable[[int], None]


class Progress(Protocol):
    """Shows stages of work. ``stage`` yields a function to call with the number of things just done."""

    def stage(self, name: str, total: int, unit: str) -> _Stage:
        """Begin a stage of ``total`` things."""
        ...

    def say(self, text: str) -> None:
        """One line for the reader."""
        ...


class _Stage(Protocol):
    def __enter__(self) -> Advance: ...
    def __exit__(self, *exception: object) -> bool | None: ...


class Silent:
    """Shows nothing; the default of the Python API."""

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:  # noqa: ARG002 - the protocol's signature
        """Begin a stage that nobody watches."""
        yield lambda done: None

    def say(self, text: str) -> None:
        """Say nothing."""


class Lines:
    """A plain line at the beginning, every ten seconds and at the end of a stage; for logs."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console, self._every = console, every

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """Begin a stage; each line tells what is done, the rate and the time left."""
        began = last = time.monotonic()
        done = 0

        def advance(more: int) -> None:
            nonlocal done, last
            done += more
            now = time.monotonic()
            if now - last >= self._every and done:
                last = now
                rate = done / (now - began)
                left = (total - done) / rate
                self.say(f"{name}: {done:,} of {total:,} {unit}, {rate:,.1f} a second, {left:,.0f} s left")

        self.say(f"{name}: {total:,} {unit}")
        yield advance
        seconds = time.monotonic() - began
        self.say(f"{name}: done, {done:,} {unit} in {seconds:,.1f} s")

    def say(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class Bar:
    """A bar with the rate and the time left, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """Begin a stage with a bar of its own."""
        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        )
        with Bars(*columns, console=self._console) as bars:
            task = bars.add_task(name, total=total, unit=unit, rate="")
            began = time.monotonic()

            def advance(more: int) -> None:
                bars.update(task, advance=more)
                rate = bars.tasks[0].completed / max(time.monotonic() - began, 1e-9)
                bars.update(task, rate=f"{rate:,.0f}/s")

            yield advance

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def for_console(console: Console) -> Progress:
    """Bars where the console is a terminal, plain lines elsewhere."""
    return Bar(console) if console.is_terminal else Lines(console)
