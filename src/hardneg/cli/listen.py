"""``hardneg listen``: what a detector hears in long recordings, and how often that is false."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hardneg.cli._common import console, overwrite_option, say_left_out, say_plainly, table
from hardneg.errors import OptionError
from hardneg.io.occurrences import read_occurrences, read_scores
from hardneg.listening import Detector, Given, Hearing, listen
from hardneg.progress import for_console
from hardneg.report.numbers import plural

__all__ = ["command"]

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(exists=True, path_type=Path)


def _seconds(name: str, default: float, text: str) -> Callable[[F], F]:
    return click.option(f"--{name}", type=float, default=default, show_default=True, help=text)


@click.command(short_help="Hear where a detector fires in long recordings.")
@click.argument("recordings", type=_PATH)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option("--detector", metavar="TARGET", help="Your function: package.module:function or file.py:function.")
@click.option("--scores", type=_PATH, help="Instead: scores made before, by this command or elsewhere.")
@click.option("--keyword", "keywords", multiple=True, help="What the scores are of; repeat for several (keyword).")
@click.option("--rate", type=int, default=16_000, show_default=True, help="Samples a second that the function gets.")
@_seconds("window", 1.0, "Seconds that the detector hears at a time.")
@_seconds("hop", 0.1, "Seconds from one window to the next.")
@_seconds("on", 0.5, "An event begins with a score of at least this.")
@click.option("--off", type=float, help="It ends before the first score under this (as --on).")
@_seconds("merge", 0.0, "Events no more than these seconds apart are one.")
@_seconds("least", 0.0, "Shorter events are none, in seconds.")
@_seconds("refractory", 0.0, "After an event those that begin so soon are none, in seconds.")
@_seconds("context", 0.5, "Seconds around an event that belong to its clip.")
@click.option("--truth", type=_PATH, help="Where keywords are: a table of audio, start, end, label.")
@_seconds("collar", 0.0, "Seconds by which each of these is longer at both ends.")
@click.option("--media-root", type=_PATH, help="The folder that all sounds are in; paths are relative to it.")
@click.option("--batch", type=int, default=64, show_default=True, help="Windows that the function gets at a time.")
@click.option("--version", help="Of your function, where its model changes and its file does not.")
@overwrite_option
def command(recordings: Path, out: Path, **options: Any) -> None:
    """Find what a detector hears in RECORDINGS, a sound file or a folder of them, of any length.

    Writes OUT/events.parquet, one row an event, ready to be mined, and OUT/summary.json: hours, events and, where
    --truth says what is in a recording, hits, misses and false accepts an hour. Stopped, it goes on where it was.

    \b
        hardneg listen radio/ --detector spot.py:score --keyword yes --on 0.8 --off 0.5 -o heard
        hardneg listen radio/ --scores heard --keyword yes --on 0.9 -o heard-09
        hardneg mine heard/events.parquet --media-root radio --anchors classes --source segments -o runs/a
    """  # noqa: D301 - click's own mark for text that keeps its lines
    names = ("window", "hop", "on", "off", "merge", "least", "refractory", "context", "collar")
    hearing = Hearing(**{name: options[name] for name in names})
    summary = listen(
        recordings,
        _detector(options, hearing),
        hearing,
        out=out,
        root=options["media_root"],
        truth=read_occurrences(options["truth"]) if options["truth"] else None,
        progress=for_console(console),
        overwrite=options["overwrite"],
    )
    _say(summary, recordings, out, options)


def _detector(options: dict[str, Any], hearing: Hearing) -> Detector | Given:
    keywords = options["keywords"] or ("keyword",)
    if (options["detector"] is None) == (options["scores"] is None):
        raise OptionError("Give either a function (--detector file.py:function) or its scores (--scores PATH).")
    if options["scores"] is not None:
        return read_scores(options["scores"], hearing, keywords)
    rate, batch, version = (options[name] for name in ("rate", "batch", "version"))
    return Detector(options["detector"], version, batch, keywords=keywords, rate=rate)


def _say(summary: dict[str, Any], recordings: Path, out: Path, options: dict[str, Any]) -> None:
    """What was heard, and what to do next."""
    clipped = "" if summary["windows_clipped"] is None else f", {summary['windows_clipped']:,} of them clipped"
    say_plainly(
        f"{plural(summary['recordings'], 'recording')}, {_hours(summary['hours'])}, of which "
        f"{_hours(summary['hours_silent'])} silent and {_hours(summary['hours_known'])} known; "
        f"{summary['windows']:,} windows{clipped}."
    )
    head = ("keyword", "events", "hits", "misses", "false accepts", "an hour", "not known", "an hour")
    rows = [
        (
            name, one["events"], one["hits"], one["misses"], one["false_accepts"],
            _rate(one["false_accepts_per_hour"]), one["unlabelled"], _rate(one["unlabelled_per_hour"]),
        )
        for name, one in summary["keywords"].items()
    ]  # fmt: skip
    console.print(table(f"{out} (on {summary['on']:g})", head, rows))
    say_left_out(summary["left_out"], [])
    events = out / "events.parquet"
    hits = any(one["hits"] for one in summary["keywords"].values())
    media = options["media_root"] or recordings
    mined = f"hardneg mine {events if hits else f'WORDS --unlabelled {events}'} --media-root {media}"
    again = "".join(f" --keyword {shlex.quote(one)}" for one in options["keywords"])
    again += f" --truth {options['truth']}" if options["truth"] else ""
    say_plainly(f"\nEvents:  {events}")
    say_plainly(f"Mine:    {mined} --anchors classes --source segments --encoder openwakeword -o runs/a")
    say_plainly(f"Another threshold: hardneg listen {recordings} --scores {out}{again} --on 0.9 -o ANOTHER")


def _hours(hours: float) -> str:
    return f"{hours:,.2f} h" if hours >= 0.1 else f"{hours * 60:,.1f} min"


def _rate(rate: dict[str, float] | None) -> str:
    return "" if rate is None else f"{rate['value']:,.2f} ({rate['low']:,.2f} to {rate['high']:,.2f})"
