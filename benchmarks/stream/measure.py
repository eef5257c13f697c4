"""Listen to a stream that nobody has labelled, mine its false alarms, train again, and count false accepts an hour."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.stream.data import RATE, Stream, Word, composed, saved, speakers_apart
from benchmarks.stream.detector import HOP, WINDOW, Array, Network, features, train, windows_at
from hardneg.collection import Collection
from hardneg.encode import EmbeddingCache
from hardneg.listening import Detector, Hearing, listen
from hardneg.mining import Settings, mine
from hardneg.positives import Positives
from hardneg.verify import EventRule, at_miss_rate

__all__ = ["ARMS", "MISS_RATES", "SHORT", "TRIED", "Guard", "Outcome", "Size", "measured"]

KEYWORD = "five"
HEARING = Hearing(window=WINDOW, hop=HOP, on=0.0, off=-2.0, merge=0.4, refractory=0.4, context=0.0)
GUARDS = ["known", "duplicates(among=0.98)", "unlabelled"]
ARMS = {"before": None, "random segments": None, "mined, no guards": ["known"], "mined, guards": GUARDS}
# What may hold keywords back, and how much else each of them costs.
TRIED = (
    ["known"],
    ["known", "unlabelled"],
    ["known", "unlabelled(error=0.1)"],
    ["known", "margin(relative=0.05, reference=mean)"],
    ["known", "agreement(encoder=logmel, reference=mean, margin=0.05)"],
    ["known", "agreement(encoder=logmel, reference=mean)"],
    ["known", "duplicates(among=0.98)"],
)  # fmt: skip
MISS_RATES = (0.1, 0.2)
_EACH = 40  # labelled clips of each word
_JITTER = 0.1


@dataclass(frozen=True)
class Size:
    """How much there is of everything: minutes of each stream, keywords in each, segments that are added."""

    train: float = 12
    mine: float = 30
    test: float = 30
    known: int = 100
    planted: int = 40
    tested: int = 100
    most: int = 200


SHORT = Size(train=5, mine=5, test=5, known=40, planted=10, tested=30)


@dataclass(frozen=True)
class Outcome:
    """One arm at one seed: how many segments were added, how many of them hold the keyword, what it did on the test."""

    arm: str
    seed: int
    segments: int
    keywords: int
    heard: int  # events in the mining stream, of which so many hold the keyword
    heard_keywords: int
    false_accepts: tuple[int, ...]  # at each of MISS_RATES
    hours: float


@dataclass(frozen=True)
class Guard:
    """What some filters leave of what was heard: of the false alarms, and of the keywords that nobody wrote down."""

    filters: str
    seed: int
    alarms: int
    alarms_kept: int
    keywords: int
    keywords_kept: int


def measured(spoken: list[Word], size: Size, seed: int, work: Path) -> tuple[list[Outcome], list[Guard]]:
    """All arms and all guards with one division of the speakers."""
    rng = np.random.default_rng(seed)
    parts = speakers_apart(spoken, rng)
    known = composed(parts["train"], size.train, KEYWORD, size.known, rng)
    pool = composed(parts["mine"], size.mine, KEYWORD, size.planted, rng)
    test = composed(parts["test"], size.test, KEYWORD, size.tested, rng)
    positive, negative = _examples(known, rng)
    before = train(positive, negative, seed)
    folder = work / f"seed{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    for name, stream in (("known", known), ("pool", pool)):
        saved(stream, folder / f"{name}.wav")
    listen(folder / "pool.wav", Detector(call=before, keywords=(KEYWORD,)), HEARING, out=folder / "heard")
    events = pq.read_table(folder / "heard" / "events.parquet")
    sets = {arm: _mined(folder, known, events, filters, work) for arm, filters in ARMS.items() if filters}
    most = min(size.most, *(len(rows) for rows in sets.values()))
    holds = _holding(pool, events.column("event_start").to_numpy(), events.column("event_end").to_numpy())
    guards = []
    for filters in TRIED:
        kept = holds[_mined(folder, known, events, filters, work)]
        alarms = int((~holds).sum()), int((~kept).sum())
        guards.append(Guard(", ".join(filters[1:]) or "none", seed, *alarms, int(holds.sum()), int(kept.sum())))
    heard = features(windows_at(test, np.arange(0, len(test.samples) / RATE - WINDOW, HOP)))
    out = []
    for arm in ARMS:
        if arm in sets:
            rows = sets[arm][:most]
            starts, inside = _peaks(events, rows), int(holds[rows].sum())
        else:
            starts = rng.uniform(0, len(pool.samples) / RATE - WINDOW, most if arm == "random segments" else 0)
            inside = int(_holding(pool, starts, starts + WINDOW).sum())
        more = features(windows_at(pool, _around(starts))) if len(starts) else negative[:0]
        network = before if arm == "before" else train(positive, np.concatenate([negative, more]), seed)
        false, hours = _tested(network, heard, test)
        out.append(Outcome(arm, seed, len(starts), inside, len(holds), int(holds.sum()), false, hours))
    return out, guards


def _examples(stream: Stream, rng: np.random.Generator) -> tuple[Array, Array]:
    """Features of windows with the keyword, and of five times as many without it."""
    start, end = stream.of(KEYWORD)
    middle = np.repeat((start + end) / 2, 5) - WINDOW / 2
    positive = windows_at(stream, middle + rng.uniform(-_JITTER, _JITTER, len(middle)))
    anywhere = rng.uniform(0, len(stream.samples) / RATE - WINDOW, 8 * len(middle))
    free = anywhere[~_holding(stream, anywhere, anywhere + WINDOW)][: 5 * len(middle)]
    return features(positive), features(windows_at(stream, free))


def _holding(stream: Stream, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which parts hold at least half of a keyword."""
    first, last = stream.of(KEYWORD)
    shared = np.minimum(end[:, None], last) - np.maximum(start[:, None], first)
    return np.asarray((shared >= (last - first) / 2).any(axis=1))


def _mined(folder: Path, known: Stream, events: pa.Table, filters: list[str], work: Path) -> NDArray[np.int64]:
    """The rows of the events that are taken for negatives, the hardest first."""
    items = Collection(pa.concat_tables([_labelled(known), _pool(events)], promote_options="default"), folder)
    positives = Positives.from_segments(items, anchors="classes")
    run = mine(
        positives, sources="segments(k=2000)", filters=filters, sampler="top(n=2000)", encoder="openwakeword",
        settings=Settings(EmbeddingCache(work / "vectors")),
    )  # fmt: skip
    found = {name: row for row, name in enumerate(events.column("id").to_pylist())}
    return np.array([found[one] for one in run.negatives.column("item").to_pylist()], np.int64)


def _labelled(stream: Stream) -> pa.Table:
    """Some of each word in the known stream, each with what is around it, as long as what a detector hears."""
    counts: dict[str, int] = {}
    rows = []
    for row, name in enumerate(stream.names):
        counts[name] = counts.get(name, 0) + 1
        middle = (stream.begin[row] + stream.end[row]) / 2 / RATE
        if counts[name] <= _EACH and middle > WINDOW:
            start, end = round(middle - WINDOW / 2, 3), round(middle + WINDOW / 2, 3)
            rows.append({"id": f"known {row}", "audio": "known.wav", "start": start, "end": end, "label": name})
    return pa.Table.from_pylist([row for row in rows if counts[str(row["label"])] >= _EACH // 4])


def _pool(events: pa.Table) -> pa.Table:
    return events.select(["id", "audio", "start", "end", "heard", "peak", "outcome"])


def _peaks(events: pa.Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the window of the highest score begins."""
    scores, first = events.column("scores").to_pylist(), events.column("scores_start").to_numpy()
    return np.array([first[row] + HOP * int(np.argmax(scores[row])) for row in rows], np.float64)


def _around(starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three windows for each segment."""
    return (starts[:, None] + np.array([-HOP / 2, 0, HOP / 2])).ravel()


def _tested(network: Network, heard: Array, test: Stream) -> tuple[tuple[int, ...], float]:
    """False accepts at each miss rate."""
    scores, hours = network.of(heard), len(test.samples) / RATE / 3600
    start, end = test.of(KEYWORD)
    begin, after = HEARING.sharing(start, end)
    rule = EventRule(0.0, -2.0, merge=HEARING.rule().merge, refractory=HEARING.rule().refractory)
    found = [at_miss_rate([(scores, begin, after)], rule, miss_rate=one, hours=hours) for one in MISS_RATES]
    return tuple(one.false_accepts for one in found), hours
