"""One rule, three homes: the guard's verdicts are those of a mining on the same vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError
from hardneg.filters import Filter, Judgement, Rule, first_of
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.table import Verdict

torch = pytest.importorskip("torch")

from hardneg.online import (  # noqa: E402
    About,
    BatchHard,
    Guard,
    Guarded,
    InfoNCE,
    MultiSimilarity,
    Relations,
    SemiHardNearest,
    class_means,
)

FILTERS = [
    ["margin(relative=0.05)"],
    ["margin(absolute=0.1, reference=max)"],
    ["margin(relative=0.02, reference=mean, ceiling=0.9)"],
    ["rank(skip=2)"],
    ["rank(skip=1, within=20)", "margin(relative=0.1)"],
    ["duplicates(similarity=0.8)"],
    ["agreement(reciprocal=3)"],
    ["known", "duplicates(similarity=0.9)", "agreement(reciprocal=2)", "margin(relative=0.05, reference=mean)"],
]


def clouds(items: int, classes: int, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    of = np.arange(items) % classes
    return (rng.normal(size=(classes, 8))[of] + 0.7 * rng.normal(size=(items, 8))).astype(np.float32), of


def table(run: Run, anchors: int, items: int) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """Verdict and reason of every candidate of a run whose ids are row numbers."""
    found: list[dict[tuple[int, int], str]] = [{}, {}]
    for part in run.parts():
        columns = [part.column(name).cast("string").to_pylist() for name in ("anchor", "item", "verdict", "reason")]
        for anchor, item, verdict, reason in zip(*columns, strict=True):
            found[0][int(anchor), int(item)] = verdict
            found[1][int(anchor), int(item)] = reason
    return found[0], found[1]


def assert_same(judged: Any, run: Run, shape: tuple[int, int]) -> None:
    verdict, reason, names = judged.verdicts(slice(0, shape[0]))
    candidates = judged.sides.relation.masks().negative.numpy()
    verdicts, reasons = table(run, *shape)
    assert {(int(a), int(i)) for a, i in zip(*np.nonzero(candidates), strict=True)} == set(verdicts)
    for (anchor, item), told in verdicts.items():
        assert Verdict(verdict[anchor, item]).name.lower() == told, (anchor, item)
        assert names[reason[anchor, item]] == (reasons[anchor, item] or ""), (anchor, item)


@pytest.mark.parametrize("filters", FILTERS, ids=" ".join)
def test_of_labels_the_verdicts_are_those_of_a_mining(filters: list[str]) -> None:
    vectors, of = clouds(48, 12)
    positives = Positives.from_labels(Collection(pa.table({"id": list(range(48)), "label": [str(one) for one in of]})))
    run = mine(positives, sources="neighbors(k=48)", filters=filters, encoder=Vectors.of_items(vectors, positives))
    assert_same(Guard(filters).judge(torch.from_numpy(vectors), torch.from_numpy(of)), run, (48, 48))


@pytest.mark.parametrize("filters", FILTERS, ids=" ".join)
def test_of_pairs_the_verdicts_are_those_of_a_mining(filters: list[str]) -> None:
    vectors, _ = clouds(60, 15, seed=1)
    anchors, items = vectors[:20], np.concatenate([vectors[:20] + vectors[20:40], vectors[40:]])
    ids = list(range(20)), list(range(40))
    positives = Positives.from_pairs(ids[0], ids[0], anchors=Collection.of(ids[0]), items=Collection.of(ids[1]))
    run = mine(positives, sources="neighbors(k=40)", filters=filters, encoder=Vectors(anchors, items))
    judged = Guard(filters).judge(torch.from_numpy(anchors), Relations.from_pairs(20, 40), torch.from_numpy(items))
    assert_same(judged, run, (20, 40))
    assert_same(judged, refilter(run, filters=filters), (20, 40))


def test_of_copies_the_verdicts_are_those_of_a_mining() -> None:
    vectors, of = clouds(48, 12)
    texts = [f"text {row}" for row in range(48)]
    for copy, original in ((5, 4), (12, 0), (13, 1), (30, 4), (31, 4), (20, 13)):
        texts[copy], vectors[copy] = texts[original], vectors[original]
    columns = {"id": list(range(48)), "label": [str(one) for one in of], "text": texts}
    positives = Positives.from_labels(Collection(pa.table(columns)))
    run = mine(positives, sources="neighbors(k=48)", filters=[], encoder=Vectors.of_items(vectors, positives))
    guard, known = Guard(chunk_mib=1), About(contents=texts)
    judged = guard.judge(torch.from_numpy(vectors), torch.from_numpy(of), about=known)
    assert_same(judged, run, (48, 48))
    assert {name for name, many in judged.counts.items() if many} == {
        "kept", "duplicates.anchor_text", "duplicates.positive_text", "duplicates.repeated_text",
    }  # fmt: skip
    hashes = torch.tensor([texts.index(one) for one in texts])
    same = guard.judge(torch.from_numpy(vectors), torch.from_numpy(of), about=About(contents=hashes))
    assert same.counts == judged.counts


def test_what_a_reviewer_said_holds() -> None:
    vectors, of = clouds(24, 6)
    ids = [f"i{row}" for row in range(24)]
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    a, _, n = BatchHard()(x, y)
    anchor, found = int(a[0]), int(n[0])
    guarded = Guarded("batch_hard", reviewed=[(ids[anchor], ids[found], "positive")])
    a2, _, n2 = guarded(x, y, about=About(ids=ids))
    pairs = list(zip(a2.tolist(), n2.tolist(), strict=True))
    assert (anchor, found) not in pairs
    assert (found, anchor) not in pairs  # within a batch it holds both ways
    assert guarded.counts["known.positive"] == 2
    strict = Guarded(BatchHard(), "margin(relative=0.9)", reviewed=[(ids[anchor], ids[found], "negative")])
    assert (anchor, found) in list(zip(*(one.tolist() for one in strict(x, y, about=About(ids=ids))[::2]), strict=True))
    with pytest.raises(InputError, match="has none"):
        guarded(x, y)
    with pytest.raises(OptionError, match="positive or negative or ignored"):
        Guard(reviewed=[("a", "b", "same")])


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_the_guide_masks_what_gistembed_masks(margin: float) -> None:
    """Held against sentence-transformers: with the mask, InfoNCE is its GISTEmbedLoss."""
    losses = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    torch.manual_seed(0)
    anchors, documents = torch.randn(12, 8), torch.randn(12, 8)
    guide = torch.randn(12, 8), torch.randn(12, 8)
    guide = guide[0], guide[0] + guide[1]
    judged = Guard(guide=margin).judge(
        anchors, Relations.from_pairs(12), documents, about=About(guide=guide[0]), ref_about=About(guide=guide[1])
    )
    allowed = judged.relation.masks().negative
    assert 0 < int((~allowed).sum()) - 12 < 100
    theirs = losses.GISTEmbedLoss.__new__(losses.GISTEmbedLoss)  # its models are vectors here, so no tokenizers
    torch.nn.Module.__init__(theirs)
    theirs.__dict__.update(
        temperature=0.05, margin=margin, margin_strategy="relative", contrast_anchors=False, contrast_positives=False,
        gather_across_devices=False, must_retokenize=False, similarity_fct=torch.nn.CosineSimilarity(dim=-1),
        model=Given("student"), guide=Given("guide"), cross_entropy_loss=torch.nn.CrossEntropyLoss(),
    )  # fmt: skip
    columns = [{"student": anchors, "guide": guide[0]}, {"student": documents, "guide": guide[1]}]
    expected = theirs(columns, torch.zeros(12))
    torch.testing.assert_close(InfoNCE(0.05)(anchors, documents, relation=judged.relation), expected)


class Given(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A model whose vectors are given."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, features: Any) -> Any:
        return {**features, "sentence_embedding": features[self.name]}


class Odd(Filter):
    """A filter of another package: suspects every reference with an odd figure."""

    name = "odd"
    rules = (Rule("odd", Verdict.SUSPECT),)

    @property
    def evidence(self) -> tuple[str, ...]:
        return ("figure",)

    def judge(self, columns: Any) -> Judgement:
        return first_of(columns["score"].shape, (columns["figure"] % 2 == 1, columns["figure"]))


def test_a_filter_that_comes_later_serves_too() -> None:
    vectors, of = clouds(24, 6)
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    guarded = Guarded(MultiSimilarity(), [Odd()])
    *_, n = guarded(x, y, evidence={"figure": torch.arange(24)})
    assert len(n)
    assert not (n % 2).any()
    with pytest.raises(OptionError, match="reads 'figure'"):
        guarded(x, y)
    with pytest.raises(OptionError, match="no filter 'margn'"):
        Guard("margn(relative=0.1)")


def test_labels_predicted_elsewhere_serve_as_evidence() -> None:
    vectors, of = clouds(24, 6)
    doubt = np.zeros((24, 24), np.float32)
    doubt[:, 7] = 0.8
    judged = Guard("mislabelled").judge(
        torch.from_numpy(vectors), torch.from_numpy(of), evidence={"true_class": doubt, "anchor_class": 1.0}
    )
    assert judged.counts["mislabelled.likely_mislabelled"] == 20
    assert not judged.relation.masks().negative[:, 7].any()


@pytest.mark.parametrize("miner", [BatchHard(), MultiSimilarity(), SemiHardNearest()], ids=str)
@pytest.mark.parametrize("chunk_mib", [1, 64])
def test_no_miner_chooses_what_is_held_back(miner: Any, chunk_mib: int) -> None:
    vectors, of = clouds(300, 30)
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    guarded = Guarded(miner, ["margin(relative=0.05, reference=mean)", "rank(skip=3)"], chunk_mib=chunk_mib)
    allowed = guarded.guard.judge(x, y).relation.masks().negative
    found = guarded(x, y)
    anchors, negatives = (found[2], found[3]) if len(found) == 4 else (found[0], found[2])
    assert len(anchors)
    assert allowed[anchors, negatives].all()
    assert sum(guarded.counts.values()) == 300 * 290
    features = guarded.sample(x, y)
    assert len({len(one) for one in features}) == 1


def test_a_hard_miner_takes_the_next_in_line() -> None:
    vectors, of = clouds(60, 12)
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    guarded = Guarded(BatchHard(), "rank(skip=2)")
    allowed = guarded.guard.judge(x, y).relation.masks().negative
    cos = torch.nn.functional.cosine_similarity(x[:, None], x, dim=2)
    expected = torch.where(allowed, cos, -torch.inf).argmax(1)
    assert guarded(x, y)[2].tolist() == expected.tolist()


def test_class_means_find_a_class_under_two_labels() -> None:
    """Members are less like one another than some negatives are; the class as a whole is not."""
    source = torch.Generator().manual_seed(0)
    truth = torch.arange(20).repeat_interleave(16)
    x = torch.randn(20, 64, generator=source)[truth] + 1.4 * torch.randn(320, 64, generator=source)
    labels = truth + 20 * ((truth < 2) & (torch.arange(320) % 2 == 1))
    unit = torch.nn.functional.normalize(x, dim=1)
    means = class_means(x, labels)
    for row in range(0, 320, 37):
        torch.testing.assert_close(means[row], unit[labels == labels[row]].mean(0))
    guard = Guard("agreement(encoder=guide, margin=0.35, reference=mean)")
    judged = guard.judge(x, labels, about=About(guide=means), ref_about=About(guide=x))
    refused, false = judged.refused(slice(0, 320)), (truth[:, None] == truth) & (labels[:, None] != labels)
    true = labels[:, None] != labels
    assert refused[false].float().mean() > 0.9
    assert refused[true & ~false].float().mean() < 0.02
    assert Guard("margin(relative=0.05)").judge(x, labels).refused(slice(0, 320))[true & ~false].float().mean() > 0.02


def test_a_miner_of_another_package_loses_what_is_held_back() -> None:
    miners = pytest.importorskip("pytorch_metric_learning.miners")
    vectors, of = clouds(60, 12)
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    for one in (miners.MultiSimilarityMiner(), miners.TripletMarginMiner(0.2)):
        guarded = Guarded(one, "margin(relative=0.1)")
        allowed = guarded.guard.judge(x, y).relation.masks().negative
        free, held = one(x, y), guarded(x, y)
        pairs = [(f[2], f[3]) if len(f) == 4 else (f[0], f[2]) for f in (free, held)]
        assert len(pairs[1][0]) == int(allowed[pairs[0][0], pairs[0][1]].sum()) < len(pairs[0][0])
        assert allowed[pairs[1][0], pairs[1][1]].all()


def test_what_does_not_fit_is_said() -> None:
    vectors, of = clouds(24, 6)
    x, y = torch.from_numpy(vectors), torch.from_numpy(of)
    for sides, about, told in (
        ((x, y[:5]), About(), "as there are labels"), ((x, y, x[:5]), About(), "References need labels"),
        ((x * torch.nan, y), About(), "24 of the 24 embeddings hold NaN"),
        ((x, y), About(guide=x[:3]), "one vector of the guide for each of 24"),
        ((x, y), About(contents=["a"]), "one content for each of 24"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=told):
            Guard("margin(relative=0.1)").judge(*sides, about=about)
    empty = Guarded("batch_hard", "margin(relative=0.1)")(x[:0], y[:0])
    assert [len(one) for one in empty] == [0, 0, 0]
