from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hardneg import progress
from hardneg.progress import Bar, Lines, for_console


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_the_time_left_follows_the_rate_of_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stopped run had done comes at once; it must not promise that the rest will."""
    clock, written = Clock(), io.StringIO()
    monkeypatch.setattr(progress, "time", clock)
    with Lines(Console(file=written, width=200), every=10.0).stage("mine", 1000, "anchors") as report:
        for at, done in ((0.1, 900), (10.0, 910), (20.0, 920)):
            clock.now = at
            report(done, 1000)
        clock.now = 100.0
        report(1000, 1000)
    lines = written.getvalue().splitlines()
    assert lines[1] == "mine: 920 of 1,000 anchors, 1.0 a second, 80 s left"
    assert lines[-1] == "mine: 1,000 of 1,000 anchors in 100.0 s"


def test_a_stage_where_nothing_moves_says_nothing_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, written = Clock(), io.StringIO()
    monkeypatch.setattr(progress, "time", clock)
    with Lines(Console(file=written, width=200), every=10.0).stage("mine", 10, "anchors") as report:
        clock.now = 30.0
        report(0, 10)
    assert written.getvalue() == "mine: 0 of 10 anchors in 30.0 s\n"


@pytest.mark.parametrize(("terminal", "kind"), [(True, Bar), (False, Lines)])
def test_bars_on_a_terminal_and_lines_elsewhere(terminal: bool, kind: type[Any]) -> None:
    written = io.StringIO()
    made = for_console(Console(file=written, force_terminal=terminal, width=120))
    assert isinstance(made, kind)
    with made.stage("mine", 4, "anchors") as report:
        for done in range(5):
            report(done, 4)
    made.say("Going on.")
    assert "mine" in written.getvalue()
    assert "Going on." in written.getvalue()
