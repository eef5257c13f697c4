"""Each check must catch the step that breaks the promise it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.context import Context
from hardneg.encode import Encoder, Role
from hardneg.filters import Filter, Judgement, Rule, first_of
from hardneg.ragged import Ragged
from hardneg.samplers import Chooser, Limit, Sampler
from hardneg.search import Engine, Exact, Hits, Search
from hardneg.sources import Neighbors, Propose, Uniform
from hardneg.table import Rows, Verdict
from hardneg.testing import check_encoder, check_engine, check_filter, check_sampler, check_source

Change = Callable[..., Any]
CALLS = count()


@dataclass(frozen=True)
class ChangedSource(Neighbors):
    """Neighbours with one promise broken."""

    change: Change = field(default=lambda rows, context: rows, metadata={"data": True})

    def prepare(self, context: Context) -> Propose:
        inner = super().prepare(context)
        return lambda anchors: self.change(inner(anchors), context)


def _everything(rows: Rows, context: Context) -> Rows:
    n, anchors = len(context.positives.items), np.unique(rows.anchor)
    columns = {
        "source_score": np.zeros(n * len(anchors), np.float32),
        "rank": np.tile(np.arange(n, dtype=np.int32), len(anchors)),
    }
    return Rows(np.repeat(anchors, n), np.tile(np.arange(n), len(anchors)), columns)


def _all_admissible(rows: Rows, context: Context) -> Rows:
    found, positives = _everything(rows, context), context.positives
    closed = positives.excluded(np.arange(len(positives.anchors))).contains(found.anchor, found.item)
    return found.take(~closed & ~positives.forbids(found.anchor, found.item))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda rows, _: rows.having(source_score=rows["source_score"].astype(float)), "'source_score' as float32"),
        (lambda rows, _: rows.having(rank=rows["rank"].astype(np.int64)), "'rank' as int32"),
        (lambda rows, _: Rows(rows.anchor, rows.item, {"rank": rows["rank"]}), "the column 'source_score'"),
        (lambda rows, _: rows.having(rank=rows["rank"] - np.int32(2)), "ranks from 0"),
        (lambda rows, _: rows.take(np.arange(len(rows))[::-1]), "sort its rows by anchor"),
        (
            lambda rows, _: rows.having(rank=np.zeros(len(rows), np.int32)),
            "the better rank to the harder, each rank once",
        ),
        (lambda rows, _: rows.having(source_score=-rows["source_score"]), "sort an anchor's rows, hardest first"),
        (lambda rows, _: rows.having(source_score=rows["source_score"] * np.float32(np.nan)), "finite scores"),
        (lambda rows, _: rows.take(rows["rank"] > 0), "propose 7 items"),
        (_everything, "never propose a positive"),
        (lambda rows, _: Rows(rows.anchor, rows.item % 3, rows.columns), "no item twice"),
        (lambda rows, _: rows.having(extra=np.full(len(rows), len(np.unique(rows.anchor)))), "the same when asked 1"),
    ],
)
def test_sources_that_break_a_promise(change: Change, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        check_source(ChangedSource(k=7, change=change))


@dataclass(frozen=True)
class Sparing(ChangedSource):
    """A source that promises no number."""

    promises_k: ClassVar[bool] = False


def test_a_source_that_promises_no_number() -> None:
    check_source(Sparing(k=7, change=lambda rows, _: rows.take(rows["rank"] % 2 == 0)))
    with pytest.raises(AssertionError, match="propose at most 7 items"):
        check_source(Sparing(k=7, change=_all_admissible))


def test_a_source_that_remembers() -> None:
    with pytest.raises(AssertionError, match="the same"):
        check_source(ChangedSource(k=7, change=lambda rows, _: rows.having(extra=np.full(len(rows), next(CALLS)))))


@dataclass(frozen=True)
class Forgetful(Uniform):
    """Its text does not make it again."""

    name: ClassVar[str] = "forgetful"

    def __str__(self) -> str:
        return "uniform(k=3)"


def test_a_source_whose_text_is_of_another() -> None:
    with pytest.raises(AssertionError, match="must equal the step that its text makes"):
        check_source(Forgetful(k=4))


@dataclass(frozen=True)
class ChangedFilter(Filter):
    """Suspects high scores, with one promise broken."""

    name: ClassVar[str] = "changed"
    rules: ClassVar[tuple[Rule, ...]] = (Rule("high", Verdict.SUSPECT),)
    verdict: Change | None = field(metadata={"data": True}, default=None)

    def judge(self, columns: Any) -> Judgement:
        found: Judgement = (self.verdict or _high)(columns)
        return found


def _high(columns: Any) -> Judgement:
    score = columns["score"]
    return first_of(np.shape(score), (score > 0.3, score))


def _writes(columns: Any) -> Judgement:
    columns["score"][:] = 0
    return _high(columns)


def _by_place(columns: Any) -> Judgement:
    score = columns["score"]
    return first_of(np.shape(score), (np.arange(score.size).reshape(score.shape) < 3, score))


def _by_width(columns: Any) -> Judgement:
    score = columns["score"]
    return first_of(np.shape(score), (score > (0.1 if score.ndim > 1 else 0.3), score))


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (_writes, "leave its columns as they are"),
        (_by_place, "judge each candidate by itself"),
        (_by_width, "say the same of a matrix"),
        (lambda columns: replace(_high(columns), rule=_high(columns).rule + np.int8(1)), "only rules that it declares"),
        (lambda columns: replace(_high(columns), figure=np.full_like(columns["score"], np.nan)), "the figure"),
        (lambda columns: replace(_high(columns), rule=np.array([0], np.int8)), "rules of shape"),
    ],
)
def test_filters_that_break_a_promise(verdict: Change, word: str) -> None:
    check_filter(ChangedFilter())
    with pytest.raises(AssertionError, match=word):
        check_filter(ChangedFilter(verdict))


class Keeps(ChangedFilter):
    """A filter that would keep."""

    rules: ClassVar[tuple[Rule, ...]] = (Rule("high", Verdict.KEEP),)


class Promises(ChangedFilter):
    """A filter that announces evidence and gathers another."""

    evidence = ("one",)

    def gather(self, context: Context) -> Any:
        return lambda rows: {"other": np.zeros(len(rows))}


class ByBlock(ChangedFilter):
    """A filter whose evidence is of the block."""

    evidence = ("one",)

    def gather(self, context: Context) -> Any:
        return lambda rows: {"one": np.full(len(rows), len(rows))}


@pytest.mark.parametrize(
    ("step", "word"),
    [(Keeps(), "drop or suspect"), (Promises(), "gather the columns"), (ByBlock(), "the same 'one' for any block")],
)
def test_filters_that_declare_what_is_not(step: Filter, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        check_filter(step)


@dataclass(frozen=True)
class ChangedChooser(Chooser):
    """Prefers by a function."""

    name: ClassVar[str] = "changed"
    by: Change = field(default=lambda rows, seed: rows["score"].astype(float), metadata={"data": True})

    def prefer(self, rows: Rows, seed: int) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.by(rows, seed)
        return found


@dataclass(frozen=True)
class ChangedLimit(Limit):
    """Gives any kinds."""

    name: ClassVar[str] = "limit"
    of: Change = field(default=lambda rows: [], metadata={"data": True})

    def kinds(self, rows: Rows, wanted: object, items: object, source_names: object) -> Any:
        return self.of(rows)


@dataclass(frozen=True)
class Neither(Sampler):
    """Neither a chooser nor a limit."""

    name: ClassVar[str] = "neither"


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (ChangedChooser(by=lambda rows, seed: rows["score"]), "float64"),
        (ChangedChooser(by=lambda rows, seed: np.full(len(rows), np.nan)), "no NaN"),
        (ChangedChooser(by=lambda rows, seed: np.full(len(rows), np.inf)), "finite preferences"),
        (ChangedChooser(by=lambda rows, seed: np.zeros(3)), "of shape"),
        (ChangedChooser(by=lambda rows, seed: np.random.default_rng().random(len(rows))), "the same each time"),
        (ChangedChooser(by=lambda rows, seed: np.random.default_rng(seed).random(len(rows))), "whatever other anchors"),
        (ChangedChooser(by=lambda rows, seed: rows.item.astype(float)), "under other row numbers"),
        (ChangedChooser(by=lambda rows, seed: rows.anchor.astype(float)), "under other row numbers"),
        (ChangedLimit(of=lambda rows: [(rows.item, np.array([1, 2]))]), "a limit for each kind"),
        (ChangedLimit(of=lambda rows: [(rows.item[:3], np.full(60, 2))]), "each row a kind"),
        (Neither(), "be a Chooser or a Limit"),
    ],
)
def test_samplers_that_break_a_promise(step: Sampler, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        check_sampler(step)


@dataclass(frozen=True)
class ChangedEngine(Engine):
    """An exact engine whose answers are changed."""

    name: ClassVar[str] = "changed"

    change: Change

    def prepare(self, anchors: Any, items: Any, k: int, similarity: Any, constraints: Any) -> Search:
        return ChangedSearch(Exact().prepare(anchors, items, k, similarity, constraints), self.change)


@dataclass(frozen=True, eq=False)
class ChangedSearch(Search):
    search: Search
    change: Change

    def __call__(self, rows: Any) -> Hits:
        found: Hits = self.change(self.search(rows))
        return found


def _last_first(hits: Hits) -> Hits:
    lists = [hits.items[row][::-1] for row in range(len(hits.items))]
    return replace(hits, items=Ragged.from_lists(lists))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_last_first, "find the items"),
        (lambda hits: replace(hits, items=Ragged.empty(len(hits.items))), "find the items"),
        (lambda hits: replace(hits, items=Ragged.empty(len(hits.items) + 1)), "answer every anchor"),
        (lambda hits: replace(hits, scores=hits.scores.astype(float)), "scores as float32"),
        (lambda hits: replace(hits, scores=np.nextafter(hits.scores, np.float32(9))), "the scores of"),
        (lambda hits: replace(hits, ranks=hits.ranks + np.int32(1)), "count the excluded"),
        (lambda hits: replace(hits, ranks=hits.ranks.astype(np.int64)), "ranks as int32"),
    ],
)
def test_engines_that_break_a_promise(change: Change, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        check_engine(ChangedEngine(change))


@dataclass(frozen=True)
class ChangedEncoder(Encoder):
    """Encodes letters, with one promise broken."""

    name: ClassVar[str] = "changed"
    change: Change = field(default=lambda vectors: vectors, metadata={"data": True})
    identity: str = "letters 1"

    def encode(self, texts: Sequence[str], role: Role) -> Any:
        plain = np.array([[len(text), sum(map(ord, text)) % 97] for text in texts], np.float32).reshape(-1, 2)
        return self.change(plain)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda vectors: vectors.astype(float), "give float32"),
        (lambda vectors: vectors[:1], "one row for each text"),
        (lambda vectors: vectors[::-1], "whatever goes with it"),
        (lambda vectors: vectors[np.argsort(vectors[:, 0])], "in the order of the texts"),
        (lambda vectors: vectors - vectors.mean(axis=0), "whatever goes with it"),
        (lambda vectors: vectors * np.float32(np.inf), "finite vectors"),
        (np.ones_like, "different texts different vectors"),
        (lambda vectors: vectors + np.float32(1000 * next(CALLS)), "the same vectors again"),
        (lambda vectors: vectors if vectors.size else np.zeros((1, 2), np.float32), "no vectors for no texts"),
        (lambda vectors: vectors.tolist(), "give an array"),
    ],
)
def test_encoders_that_break_a_promise(change: Change, word: str) -> None:
    check_encoder(ChangedEncoder())
    with pytest.raises(AssertionError, match=word):
        check_encoder(ChangedEncoder(change))
