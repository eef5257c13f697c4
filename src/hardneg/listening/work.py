"""START HERE. Look at the recordings, score them window by window, find the events, give the account."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from hardneg.errors import InputError
from hardneg.listening.account import Account
from hardneg.listening.detectors import Detector, Scored
from hardneg.listening.events import SCHEMA, heard_in, table_of
from hardneg.listening.given import Given
from hardneg.listening.hearing import Hearing
from hardneg.listening.opened import keep_truth
from hardneg.listening.place import SUMMARY, Place, refuse_existing
from hardneg.listening.recordings import Recording, find, survey
from hardneg.listening.scoring import PART, score
from hardneg.listening.truth import Truth
from hardneg.progress import Progress, Silent
from hardneg.sounds import BrokenSound
from hardneg.sounds import Heard as Sound
from hardneg.storage import write_json, write_table, write_tables

__all__ = ["listen"]

Noted = Mapping[str, Any]  # what the journal says of scores

_TOGETHER = 4096  # events written at a time

_RECORDINGS = pa.schema(
    {
        "recording": pa.string(), "seconds": pa.float64(), "rate": pa.int64(), "channels": pa.int64(),
        "seconds_silent": pa.float64(), "windows": pa.int64(), "windows_clipped": pa.int64(), "known": pa.bool_(),
        "events": pa.int64(), "scores": pa.string(),
    }
)  # fmt: skip


def listen(
    path: str | Path,
    detector: Detector | Given,
    hearing: Hearing,
    *,
    out: str | Path,
    root: str | Path | None = None,
    truth: Truth | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Listen to recordings of any length, and write what was heard; memory does not grow with them.

    The folder ``out`` will hold ``events.parquet`` (one row an event, with the clip around it, as the reader of
    labelled data takes items), ``recordings.parquet``, ``scores/`` (a ``.npy`` for each recording, float32 of shape
    ``(windows, keywords)``, so that another threshold needs no detector), ``occurrences.parquet`` (what is known to be
    in them, where anything is) and ``summary.json``, which is returned. A
    process that was stopped, even killed, goes on where it was, and the bytes at the end are the same.

    Args:
        path: a recording, or a folder of them.
        detector: what scores the windows, or the scores that it gave elsewhere.
        hearing: the windows, in seconds, and when something has been heard.
        out: the folder to make.
        root: the folder that all media are in, to which the paths in the tables are relative; ``path`` if not given.
        truth: where the keywords are, in recordings whose every occurrence is known. Of the others nothing is known:
            what is heard there may be the keyword.
        progress: who is told how the work goes.
        overwrite: replace what an earlier listening made.

    Raises:
        InputError: no recording can be used, the detector fails or returns something else than scores, or what is
            known does not fit the recordings. A broken recording is left out and counted.
        RunError: ``out`` exists already, or is unfinished work of another kind.
    """
    work = _Work(detector, hearing, truth or Truth(), progress or Silent())
    out = Path(out)
    refuse_existing(out, overwrite=overwrite)
    if isinstance(detector, Detector):
        detector.load()
    recordings, outside = find(Path(path), None if root is None else Path(root))
    account = Account(detector.keywords)
    for name in outside:
        account.leave_out("path_outside_folder", name)
    pairs = work.usable(recordings, account)
    work.truth.check({one.name: sound.seconds for one, sound in pairs}, detector.keywords)
    for name in sorted(set(work.truth.of) - {one.name for one, _ in pairs}):
        account.leave_out("known_but_not_there", name)
    place = Place(out, work.fingerprint(pairs), overwrite=overwrite)
    if place.resumed:
        work.progress.say(f"Going on with '{place.partial}'.")
    base = Path(path) if Path(path).is_dir() else Path(path).parent
    media = Path(os.path.relpath(Path(root or base).resolve(), out.resolve())).as_posix()
    with place.clearing_up():
        return work.written(place, pairs, account, media)


@dataclass(frozen=True, eq=False)
class _Work:
    """What stays the same from recording to recording."""

    detector: Detector | Given
    hearing: Hearing
    truth: Truth
    progress: Progress

    def about(self) -> dict[str, Any]:
        """What was listened with."""
        one = self.detector
        told = {"detector": one.target, "rate": one.rate} if isinstance(one, Detector) else {"detector": "given scores"}
        return {**told, **asdict(self.hearing)}

    def fingerprint(self, pairs: Sequence[tuple[Recording, Sound]]) -> str:
        """One hash of everything that decides a score."""
        facts = self.detector.facts() if isinstance(self.detector, Detector) else ["given"]
        sounds = [[one.name, sound.content.hex()] for one, sound in pairs]
        what = [facts, list(self.detector.keywords), self.hearing.window, self.hearing.hop, PART, sounds]
        return sha256(json.dumps(what).encode()).hexdigest()

    def usable(self, recordings: Sequence[Recording], account: Account) -> list[tuple[Recording, Sound]]:
        """The recordings that are whole; the others are counted."""
        pairs = []
        for one, sound in zip(recordings, survey(recordings, self.progress), strict=True):
            if isinstance(sound, BrokenSound):
                account.leave_out(sound.reason, one.name)
            else:
                pairs.append((one, sound))
        if not pairs:
            reasons = ", ".join(f"{reason} ({len(names)})" for reason, names in sorted(account.broken.items()))
            raise InputError(f"Not one of {len(recordings)} recordings can be listened to: {reasons}.")
        return pairs

    def written(
        self, place: Place, pairs: Sequence[tuple[Recording, Sound]], account: Account, media: str
    ) -> dict[str, Any]:
        """Score, find the events, and write everything; gives the summary."""
        noted = self.score(place, self.detector, pairs) if isinstance(self.detector, Detector) else {}
        rows: list[dict[str, Any]] = []
        found = self.events(pairs, lambda number: self.scores(place, noted, number, *pairs[number]), account, rows)
        write_tables(found, SCHEMA, place.partial / "events.parquet")
        write_table(pa.Table.from_pylist(rows, _RECORDINGS), place.partial / "recordings.parquet")
        keep_truth(self.truth, [row["recording"] for row in rows], place.partial)
        summary = {**self.about(), "media": media, **account.summary()}
        write_json(summary, place.partial / SUMMARY)
        place.finish(noted)
        return summary

    def score(self, place: Place, detector: Detector, pairs: Sequence[tuple[Recording, Sound]]) -> dict[str, Noted]:
        """Make the scores of all recordings; gives what was noted of each, by the name of its scores."""
        total, done = sum(sound.seconds for _, sound in pairs), 0.0
        noted: dict[str, Noted] = {}
        with self.progress.stage("listen", round(total), "seconds") as report:
            for number, (one, sound) in enumerate(pairs):

                def tell(seconds: float, before: float = done, most: float = sound.seconds) -> None:
                    report(round(before + min(seconds, most)), round(total))

                noted[_name(number)] = score(place, _name(number), one, detector, self.hearing, tell)
                done += sound.seconds
                report(round(done), round(total))
        return noted

    def scores(
        self, place: Place, noted: Mapping[str, Noted], number: int, one: Recording, sound: Sound
    ) -> tuple[Scored | None, int | None]:
        """The scores of a recording, and in how many windows there is clipping; None for what is not known."""
        if isinstance(self.detector, Given):
            return self.detector.of(one, sound.seconds, self.hearing), None
        return place.read(_name(number)), int(noted[_name(number)]["clipped"])

    def events(
        self,
        pairs: Sequence[tuple[Recording, Sound]],
        scores_of: Callable[[int], tuple[Scored | None, int | None]],
        account: Account,
        rows: list[dict[str, Any]],
    ) -> Iterator[pa.Table]:
        """The events of all recordings, some thousand at a time; on the way the account is kept."""
        waiting: list[pa.Table] = []
        for number, (one, sound) in enumerate(pairs):
            scores, clipped = scores_of(number)
            if scores is None:
                account.leave_out("no_scores", one.name)
                continue
            found = heard_in(scores, self.detector.keywords, self.hearing, one.name, self.truth)
            file = None if clipped is None else f"scores/{_name(number)}.npy"
            silent, known = sound.silent * sound.seconds, self.truth.knows(one.name)
            account.listened(sound.seconds, silent, len(scores), clipped, known=known)
            account.heard(found)
            waiting.append(table_of(one, scores, found, self.hearing, sound.seconds, self.truth))
            rows.append(
                {
                    "recording": one.name, "seconds": sound.seconds, "rate": sound.rate, "channels": sound.channels,
                    "seconds_silent": silent, "windows": len(scores), "windows_clipped": clipped, "known": known,
                    "events": len(waiting[-1]), "scores": file,
                }
            )  # fmt: skip
            if sum(map(len, waiting)) >= _TOGETHER:
                yield pa.concat_tables(waiting).combine_chunks()
                waiting = []
        yield pa.concat_tables([SCHEMA.empty_table(), *waiting]).combine_chunks()


def _name(number: int) -> str:
    return f"{number:05d}"
