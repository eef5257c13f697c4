"""Hard-class and clustered batches: against brute force, over processes, resumed, and in a real trainer."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
from tests.unit.online.models import arguments, tiny_model  # noqa: E402
from tests.unit.online.processes import in_processes  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from hardneg.errors import InputError, OptionError  # noqa: E402
from hardneg.online.batches import ClusteredBatches, HardClassBatches, class_graph  # noqa: E402
from hardneg.online.sentence_batches import ClusteredSampling, HardClassSampling  # noqa: E402

LABELS = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
VECTORS = np.random.default_rng(0).normal(size=(len(LABELS), 6)).astype(np.float32)


def encode(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return VECTORS[rows]


def sampler(**options: Any) -> HardClassBatches:
    return HardClassBatches(LABELS, 4, 3, **{"encode": encode, **options})


def neighbours(vectors: NDArray[np.float32], nearest: int) -> NDArray[np.int64]:
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scores = unit @ unit.T
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :nearest]


def test_the_graph_is_that_of_a_full_sort() -> None:
    vectors = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    assert (class_graph(vectors, 7) == neighbours(vectors, 7)).all()
    twins = np.ones((5, 3), np.float32)
    assert class_graph(twins, 2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]  # ties in the order of classes


@pytest.mark.parametrize("epoch", [1, 2])
def test_each_class_meets_its_nearest_once_an_epoch(epoch: int) -> None:
    some = sampler()
    some.set_epoch(epoch)
    stands_for = some.representatives
    assert LABELS[stands_for].tolist() == list(range(12))
    expected = neighbours(VECTORS[stands_for], 3)
    heads = []
    for batch in some:
        classes = LABELS[batch].reshape(4, 3)
        assert (classes == classes[:, :1]).all()
        head, others = classes[0, 0], classes[1:, 0]
        assert others.tolist() == expected[head].tolist()
        heads.append(head)
        for one in np.array(batch).reshape(4, 3):  # each as often as the others, where there are too few
            counts = Counter(one.tolist()).values()
            assert max(counts) - min(counts) <= 1
            assert len(counts) == min(3, int((LABELS[one[0]] == LABELS).sum()))
    assert sorted(heads) == list(range(12))
    assert len(some) == 12


def test_until_there_are_vectors_the_neighbours_are_random() -> None:
    some = HardClassBatches(LABELS, 4, 3)
    met = Counter(tuple(sorted(set(LABELS[batch].tolist()))) for batch in some)
    assert all(len(one) == 4 for one in met)
    assert len(met) > 8
    some.set_epoch(1)
    assert met != Counter(tuple(sorted(set(LABELS[batch].tolist()))) for batch in some)


def test_epochs_differ_and_repeat() -> None:
    def at(epoch: int, seed: int = 0) -> list[list[int]]:
        some = sampler(seed=seed)
        some.set_epoch(epoch)
        return list(some)

    assert at(3) == at(3)
    assert at(3) != at(4)
    assert at(3) != at(3, seed=1)


@pytest.mark.parametrize("world", [2, 5])
@pytest.mark.parametrize("kind", ["classes", "clusters"])
def test_processes_share_an_epoch(kind: str, world: int) -> None:
    def of(rank: int, size: int) -> Any:
        if kind == "classes":
            return sampler(rank=rank, world_size=size)
        return ClusteredBatches(LABELS, 5, rank=rank, world_size=size)

    alone = list(of(0, 1))
    shares = [list(of(rank, world)) for rank in range(world)]
    assert len({len(one) for one in shares}) == 1
    assert len(shares[0]) == len(of(1, world))
    dealt = [shares[number % world][number // world] for number in range(world * len(shares[0]))]
    assert dealt == (alone * 2)[: len(dealt)]


@pytest.mark.parametrize("kind", ["classes", "clusters"])
@pytest.mark.parametrize("rank", [0, 1])
def test_an_epoch_is_resumed_in_its_middle(kind: str, rank: int) -> None:
    def made() -> Any:
        if kind == "classes":
            return sampler(rank=rank, world_size=2, seed=3)
        return ClusteredBatches(LABELS, 5, rank=rank, world_size=2, seed=3)

    whole, first, second = made(), made(), made()
    for one in (whole, first):
        one.set_epoch(2)
    batches, begun = list(whole), iter(first)
    for _ in range(3):
        next(begun)
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    saved.seek(0)
    second.load_state_dict(torch.load(saved, weights_only=True))
    second.set_epoch(2)  # as trainers do
    assert list(second) == batches[3:]
    assert list(second) == batches  # and the next time from the beginning
    second.load_state_dict(first.state_dict(batches=1))  # a loader that had fetched two ahead
    assert list(second) == batches[1:]
    second.set_epoch(3)
    whole.set_epoch(3)
    assert list(second) == list(whole)


def test_a_resumed_epoch_keeps_its_neighbours_though_the_model_has_moved() -> None:
    first = sampler()
    first.set_epoch(1)
    second = sampler(encode=lambda rows: -(encode(rows) ** 3))
    second.load_state_dict(first.state_dict())
    second.set_epoch(1)
    assert list(second) == list(first)
    second.set_epoch(2)
    first.set_epoch(2)
    assert list(second) != list(first)


def test_what_process_0_finds_holds_for_all(tmp_path: Path) -> None:
    code = """
import numpy as np
from hardneg.online.batches import HardClassBatches
vectors = np.random.default_rng(rank).normal(size=(20, 4)).astype(np.float32)  # as if rounding made them differ
sampler = HardClassBatches(np.arange(20) // 2, 3, 2, encode=lambda rows: vectors[rows])
sampler.set_epoch(1)
found = {"batches": list(sampler), "graph": sampler.state_dict()["graph"]}
"""
    one, other = in_processes(2, code, tmp_path)
    assert torch.equal(one["graph"], other["graph"])
    assert len(one["batches"]) == len(other["batches"]) == 5
    assert {tuple(batch) for batch in one["batches"]}.isdisjoint({tuple(batch) for batch in other["batches"]})


def test_clusters_lie_together_and_every_row_comes_once() -> None:
    clusters = np.array([-1, *LABELS])
    some = ClusteredBatches(clusters, 5, seed=1)
    batches = list(some)
    assert sorted(row for batch in batches for row in batch) == list(range(len(clusters)))
    assert len(batches) == len(some)
    pure = [clusters[batch].tolist() for batch in batches if len(batch) == 5]
    full = Counter(one[0] for one in pure if len(set(one)) == 1)
    assert all(full[one] >= (clusters == one).sum() // 5 for one in range(12))
    assert list(ClusteredBatches(clusters, 5, seed=1, drop_last=True)) == [
        batch for batch in batches if len(batch) == 5
    ]
    some.set_epoch(1)
    assert list(some) != batches
    some.update(np.zeros(len(clusters), int))
    assert sorted(len(batch) for batch in some) == [4] + [5] * 15  # one cluster of 79


def test_labels_of_any_kind_and_those_that_are_missing() -> None:
    some = HardClassBatches(["b", None, "a", "b", None, "a"], 2, 2)
    assert some.left_out == 2
    assert {row for batch in some for row in batch} == {0, 2, 3, 5}
    assert HardClassBatches([1.0, float("nan"), 2.0], 2, 1).left_out == 1
    assert len(HardClassBatches(torch.tensor([1, 2, 1]), 2, 1)) == 2


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="needs 4 classes, and the labels have 2"):
        HardClassBatches(["a", "b"], 4)
    with pytest.raises(InputError, match="all numbers or all text"):
        HardClassBatches(["a", 1], 2)
    with pytest.raises(InputError, match="12 ids, 11 vectors"):
        sampler().update(np.ones((11, 2), np.float32))
    with pytest.raises(InputError, match="NaN"):
        sampler().update(np.full((12, 2), np.nan, np.float32))
    with pytest.raises(OptionError, match="'rank' must be from 0 to 1"):
        sampler(rank=2, world_size=2)
    with pytest.raises(InputError, match="state is that of batches from other data"):
        sampler().load_state_dict(HardClassBatches(LABELS[:-1], 4, 3).state_dict())
    with pytest.raises(InputError, match="one whole number an example"):
        ClusteredBatches([0.5, 1.0], 2)
    with pytest.raises(InputError, match="give no batch of 9"):
        ClusteredBatches([0, 0], 9, drop_last=True)


def test_in_a_loader_with_workers() -> None:
    loader = DataLoader(TensorDataset(torch.arange(len(LABELS))), batch_sampler=sampler(), num_workers=2)
    assert [batch[0].tolist() for batch in loader] == list(sampler())


WORDS = [f"{kind}{number}" for kind in "abcdef" for number in range(6)]


def labelled() -> Any:
    datasets = pytest.importorskip("datasets")
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 7)
    texts = [" ".join(rng.choice(WORDS[6 * one : 6 * one + 6], 4)) for one in labels]
    return datasets.Dataset.from_dict({"text": texts, "label": labels.tolist()})


def test_a_sentence_transformer_trains_on_hard_classes(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import losses

    model, data, seen = tiny_model(WORDS), labelled(), []
    asked: list[int] = []

    def encoded(texts: list[str]) -> Any:
        asked.append(len(texts))
        return model.encode(texts)

    sampling = HardClassSampling(items=2, encode=encoded)
    trainer = library.SentenceTransformerTrainer(
        model=model, args=arguments(tmp_path, batch_sampler=sampling), train_dataset=data,
        loss=losses.BatchHardTripletLoss(model),
    )  # fmt: skip
    collate = trainer.data_collator

    def spy(rows: list[dict[str, Any]]) -> Any:
        seen.append([one["label"] for one in rows])
        return collate(rows)

    spy.valid_label_columns = collate.valid_label_columns  # type: ignore[attr-defined]
    trainer.data_collator = spy
    trainer.train()
    assert trainer.state.global_step == 2 * 6
    assert all(sorted(Counter(one).values()) == [2, 2, 2, 2] for one in seen)
    for epoch in (seen[:6], seen[6:]):
        assert {label for one in epoch for label in one[:1]} == set(range(6))
    assert asked == [6, 6]  # one text a class before each epoch, by the model as it is then


def test_a_sentence_transformer_trains_on_clusters(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    datasets = pytest.importorskip("datasets")
    from sentence_transformers.sentence_transformer import losses

    model, data = tiny_model(WORDS), labelled()
    pairs = datasets.Dataset.from_dict({"anchor": data["text"][:], "positive": data["text"][::-1]})
    sampling = ClusteredSampling(np.array(data["label"][:]))
    trainer = library.SentenceTransformerTrainer(
        model=model, args=arguments(tmp_path, batch_sampler=sampling, per_device_train_batch_size=7),
        train_dataset=pairs, loss=losses.MultipleNegativesRankingLoss(model),
    )  # fmt: skip
    trainer.train()
    assert trainer.state.global_step == 2 * 6
    assert sampling.sampler is not None
    with pytest.raises(InputError, match="3 clusters for 42 rows"):
        ClusteredSampling([0, 1, 2])(pairs, 4)


def test_what_a_trainer_cannot_sample_is_named() -> None:
    with pytest.raises(InputError, match="no column of labels"):
        HardClassSampling()(labelled().remove_columns("label"), 8)
    with pytest.raises(OptionError, match="'batch_size' must be a multiple of 4"):
        HardClassSampling()(labelled(), 6)
