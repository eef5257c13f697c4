"""One name that holds two identities is found; an identity of two looks is one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from hardneg.errors import InputError
from hardneg.verify import mixed
from hardneg.verify._halves import halved, halves_alike, products
from hardneg.verify.mixed import in_two, mixed_identities


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed, "_DRAWS", 2000)


def _world(seed: int, people: int = 50, two: int = 5, noise: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """People with 8 to 12 pictures; the first ``two`` names hold those of a second person as well."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), draw.integers(8, 13, people))
    vectors = draw.normal(size=(people, 24))[who] + noise * draw.normal(size=(len(who), 24))
    return vectors.astype(np.float32), np.where(who >= people - two, who - (people - two), who)


def test_planted_mixtures_are_found_and_false_reports_are_few() -> None:
    found = false = 0
    for seed in range(3):
        vectors, names = _world(seed)
        reports = mixed_identities(vectors, names, seed=seed)
        reported = reports.codes[reports.reported]
        found += int((reported < 5).sum())
        false += int((reported >= 5).sum())
    assert found >= 13  # of 15
    assert false <= 1


def test_the_parts_are_the_persons() -> None:
    vectors, names = _world(4, noise=0.5)
    found = mixed_identities(vectors, names)
    for name in range(5):
        part = found.part[names == name]
        edges = np.flatnonzero(np.diff(part))
        assert len(edges) == 1  # the pictures of the second person stand after those of the first
        assert part[0] == 0
    assert (np.diff(found.p) >= 0).all()
    np.testing.assert_array_equal(mixed_identities(vectors, names).q, found.q)


def test_one_identity_of_two_looks_is_not_reported() -> None:
    vectors, names = _world(5, two=0, noise=0.3)
    draw = np.random.default_rng(6)
    looks = 0.4 * draw.normal(size=(5, 24))
    for name in range(5):
        rows = np.flatnonzero(names == name)
        vectors[rows[::2]] += looks[name].astype(np.float32)
    found = mixed_identities(vectors, names)
    assert found.p[:3].max() < 0.05  # it does stand out
    assert not found.reported.any()  # but no two persons are so alike


def test_the_cut_is_the_best_one_of_a_clear_case() -> None:
    draw = np.random.default_rng(7)
    vectors = np.repeat(draw.normal(size=(2, 6)), [3, 4], axis=0) + 0.2 * draw.normal(size=(7, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def tightness(side: np.ndarray) -> float:
        return float(sum(np.linalg.norm(vectors[side == one].sum(axis=0)) for one in (0, 1)))

    cuts = [np.isin(np.arange(7), rows).astype(int) for size in (2, 3, 4, 5) for rows in combinations(range(7), size)]
    assert tightness(in_two(vectors)) == pytest.approx(max(map(tightness, cuts)))


def test_names_are_cut_alike_alone_and_together() -> None:
    """Halves by products, many names at once, are those that sums of the vectors give for each."""
    draw = np.random.default_rng(9)
    vectors = draw.normal(size=(40, 7, 5)) + draw.normal(size=(40, 1, 5))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    alike = products(vectors)
    together = halved(alike)
    likeness = halves_alike(alike, together, 0.5)
    for name, unit in enumerate(vectors):
        np.testing.assert_array_equal(in_two(unit), together[name])
        parts = [unit[together[name] == one] for one in (0, 1)]
        assert min(map(len, parts)) >= 2
        within = []
        for part in parts:
            pairs = part @ part.T
            within.append(
                (pairs[np.triu_indices(len(part), 1)].sum() + 3 * 0.5) / (len(part) * (len(part) - 1) / 2 + 3)
            )
        across = (parts[0] @ parts[1].T).mean()
        assert likeness[name] == pytest.approx(across / np.sqrt(np.prod(np.maximum(within, 0.025))))


def test_of_a_large_name_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed, "_MOST", 6)
    monkeypatch.setattr(mixed, "_BANK", 100)
    vectors, names = _world(4, noise=0.5)
    found = mixed_identities(vectors, names)
    assert found.codes[found.reported].tolist()
    assert set(found.codes[found.reported].tolist()) <= {0, 1, 2, 3, 4}
    assert all((found.part[names == name] >= 0).sum() == 6 for name in range(45))


def test_names_of_few_examples_are_passed_over() -> None:
    vectors, names = _world(8, people=14, two=0)
    few = names.copy()
    few[np.flatnonzero(names == 3)[3:]] = -1
    found = mixed_identities(vectors, few)
    assert 3 not in found.codes
    assert (found.part[few == 3] == -1).all()
    with pytest.raises(InputError, match="takes 10 names"):
        mixed_identities(vectors, np.where(names < 9, names, -1))
