"""The identities of a data set: figures beside scikit-learn, planted names, sessions, files."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from sklearn.metrics import roc_curve

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError, RunError
from hardneg.identities import Examples, Survey, survey, write_survey
from hardneg.identities.figures import scores_of
from hardneg.positives import Positives

FILES = {
    "cohort.csv", "look_alikes.csv", "mixed.csv", "nearest.csv", "same_identity.csv", "summary.json", "trials.txt",
    "trials_random.txt",
}  # fmt: skip


def _voices(noise: float = 0.35, people: int = 24) -> tuple[np.ndarray, pa.Table]:
    """People with ten utterances on two days; ``p0`` has half of its under ``alias``, ``p1`` has those of another."""
    draw = np.random.default_rng(0)
    who = np.repeat(np.arange(people + 1), 10)
    vectors = (draw.normal(size=(people + 1, 24))[who] + noise * draw.normal(size=(len(who), 24))).astype(np.float32)
    names = [f"p{1 if one == people else one}" for one in who]
    names[:5] = ["alias"] * 5
    sessions = [f"{name}-day{row % 2}" for row, name in enumerate(names)]
    table = {"id": [f"u{row}" for row in range(len(who))], "speaker": names, "session": sessions}
    return vectors, pa.table(table)


def _examples(session: str | None = None) -> Examples:
    vectors, table = _voices()
    return Examples.of(Positives.from_labels(Collection(table), label="speaker"), vectors, session=session)


@pytest.fixture(scope="module")
def found() -> Survey:
    return survey(_examples())


def test_figures_are_those_of_scikit_learn(found: Survey) -> None:
    vectors, table = _voices()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    names = table.column("speaker").to_pylist()
    left, right = zip(*combinations(range(len(names)), 2), strict=True)
    target = np.array([names[one] == names[other] for one, other in zip(left, right, strict=True)])
    accept, true_accept, _ = roc_curve(target, (unit[list(left)] * unit[list(right)]).sum(axis=1))
    figures = found.figures["all"]
    assert figures.targets == target.sum()
    assert figures.impostors == (~target).sum()
    gaps = np.linspace(0, 1, 100_001)
    line = 1 - np.interp(gaps, accept, true_accept)
    assert figures.eer.value == pytest.approx(gaps[np.argmin(np.abs(line - gaps))], abs=1e-4)
    for far, one in zip((1e-2, 1e-3), figures.tar, strict=True):
        assert one.value == pytest.approx(true_accept[accept <= far].max())
        assert one.low <= one.value <= one.high
    assert figures.eer.low < figures.eer.high


def test_planted_names_are_found_and_kept_apart(found: Survey) -> None:
    names = found.examples.names
    one, other = found.doubts.same_names()
    assert {(names[a], names[b]) for a, b in zip(one, other, strict=True)} == {("alias", "p0")}
    assert [names[code] for code in found.doubts.mixed_names()] == ["p1"]
    codes = found.examples.codes
    for trials in (found.challenge.hard, found.challenge.random):
        pairs = {(names[codes[a]], names[codes[b]]) for a, b in zip(trials.left, trials.right, strict=True)}
        assert ("alias", "p0") not in pairs
        assert ("p0", "alias") not in pairs
        targets = codes[trials.left] == codes[trials.right]
        np.testing.assert_array_equal(trials.target, targets)
    hard, easy = found.challenge.hard, found.challenge.random
    assert (~hard.target).sum() == (~easy.target).sum()
    closest = found.look_alikes.closest(found.doubts.persons)
    assert {"alias", "p0"} not in [{names[a], names[b]} for a, b in zip(closest.left, closest.right, strict=True)]
    # a name that is another's makes impostors that are none
    assert found.figures["undoubted"].impostors == found.figures["all"].impostors - 5 * 5
    assert found.figures["undoubted"].min_dcf.value < found.figures["all"].min_dcf.value
    scores = [scores_of(found.examples, trials.some(~trials.target)) for trials in (hard, easy)]
    assert scores[0].min() > np.median(scores[1])


def test_the_nearest_are_those_of_a_loop(found: Survey) -> None:
    vectors, table = _voices()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.array(table.column("speaker").to_pylist())
    pairs = found.look_alikes.nearest
    for row in range(0, len(pairs), 37):
        ours = np.flatnonzero(names == found.examples.names[pairs.left[row]])
        theirs = np.flatnonzero(names == found.examples.names[pairs.right[row]])
        block = unit[ours] @ unit[theirs].T
        assert pairs.scores[row] == pytest.approx(block.max(), abs=1e-5)
        assert unit[pairs.left_rows[row]] @ unit[pairs.right_rows[row]] == pytest.approx(block.max(), abs=1e-5)
        assert pairs.left_rows[row] in ours
        within = []
        for own in (ours, theirs):
            alike = unit[own] @ unit[own].T
            within.append(alike[np.triu_indices(len(own), 1)].mean())
        assert pairs.likeness[row] == pytest.approx(block.mean() / np.sqrt(np.prod(within)), abs=0.02)


def test_targets_of_one_session_are_left_out() -> None:
    by_day = survey(_examples("session"))
    whole = survey(_examples())
    assert by_day.figures["all"].targets < whole.figures["all"].targets
    assert by_day.figures["all"].impostors == whole.figures["all"].impostors
    sessions, trials = by_day.examples.sessions, by_day.challenge.hard
    assert sessions is not None
    assert not (trials.target & (sessions[trials.left] == sessions[trials.right])).any()


def test_what_is_set_apart_is_looked_at_for_leaks_alone() -> None:
    vectors, table = _voices()
    minable = np.arange(len(table)) % 10 < 5
    positives = Positives.from_labels(Collection(table), label="speaker", minable=minable)
    examples = Examples.of(positives, vectors, session="session")
    assert (examples.codes >= 0).sum() == minable.sum()
    assert [note.split(" are ")[0] for note in examples.leaks] == [
        "23 of the identities looked at", "46 of the sessions looked at",
    ]  # fmt: skip
    apart = Positives.from_labels(Collection(table), label="speaker", minable=np.arange(len(table)) >= 100)
    assert Examples.of(apart, vectors).leaks == (
        "1 of the identities looked at are also among the examples set apart (p1)",
    )


def test_files_hold_what_was_found(found: Survey, tmp_path: Path) -> None:
    assert write_survey(found, tmp_path / "a", provenance={"encoder": "x"}) == ()
    assert {one.name for one in (tmp_path / "a").iterdir()} == FILES
    tables = {one: pyarrow.csv.read_csv(tmp_path / "a" / one).to_pylist() for one in FILES if one.endswith("csv")}
    assert [(one["identity"], one["other"]) for one in tables["same_identity.csv"]] == [("alias", "p0")]
    assert {one["identity"] for one in tables["mixed.csv"]} == {"p1"}
    parts = {one["part"]: [] for one in tables["mixed.csv"]}  # type: dict[int, list[int]]
    for one in tables["mixed.csv"]:
        parts[one["part"]].append(int(one["item"][1:]) >= 240)
    assert [set(parts[part]) for part in (0, 1)] == [{False}, {True}]
    first = [one["rank"] for one in tables["nearest.csv"] if one["identity"] == "p7"]
    assert first == list(range(10))
    assert {one["other"] for one in tables["cohort.csv"] if one["identity"] == "p0"} == {f"p{n}" for n in range(1, 24)}
    lines = [line.split(" ") for line in (tmp_path / "a" / "trials.txt").read_text().splitlines()]
    assert {kind for *_, kind in lines} == {"target", "nontarget"}
    who = dict(zip(*(_voices()[1].column(name).to_pylist() for name in ("id", "speaker")), strict=True))
    assert all((who[a] == who[b]) == (kind == "target") for a, b, kind in lines)
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert (summary["identities"], summary["items"], summary["may_be_one"], summary["encoder"]) == (25, 250, 1, "x")
    with pytest.raises(RunError, match="exists already"):
        write_survey(found, tmp_path / "a")
    write_survey(found, tmp_path / "b")
    write_survey(survey(_examples()), tmp_path / "b", overwrite=True)
    for name in FILES - {"summary.json"}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="holds no identities"):
        write_survey(found, tmp_path / "mine", overwrite=True)


def test_few_identities_give_what_they_can(tmp_path: Path) -> None:
    vectors, table = _voices(people=6)
    table = table.set_column(0, "id", pa.array([f"u {row}" for row in range(len(table))]))
    examples = Examples.of(Positives.from_labels(Collection(table), label="speaker"), vectors)
    found = survey(examples)
    assert set(found.figures) == {"all", "hard", "random"}
    assert [note.split(".")[0] for note in found.notes[:2]] == [
        "Names that may be one person were not looked for", "Names that may be two persons were not looked for",
    ]  # fmt: skip
    notes = write_survey(found, tmp_path / "a")
    assert "'u 0' is an id with a space" in notes[0]
    left_out = {"trials.txt", "trials_random.txt", "mixed.csv", "same_identity.csv"}
    assert {one.name for one in (tmp_path / "a").iterdir()} == FILES - left_out


def test_what_cannot_be_compared_is_said() -> None:
    vectors, table = _voices()
    with pytest.raises(InputError, match="no column 'day'"):
        _examples("day")
    with pytest.raises(InputError, match="labelled data"):
        Examples.of(Positives.from_pairs(["q"], ["a"]), np.ones((1, 2), np.float32))
    one = Positives.from_labels(Collection(table), label="speaker", minable=np.arange(len(table)) < 5)
    with pytest.raises(InputError, match="fewer than two identities"):
        survey(Examples.of(one, vectors))
    alone = Positives.from_labels(Collection(table), label="speaker", minable=np.arange(len(table)) % 10 == 5)
    with pytest.raises(InputError, match="no more alike than strangers"):
        survey(Examples.of(alone, vectors))
    every_day = _examples("session")
    once = Examples(every_day.vectors, every_day.ids, every_day.codes, every_day.names, np.zeros(len(table), np.int64))
    with pytest.raises(InputError, match="No two examples of one identity can be compared"):
        survey(once)
    with pytest.raises(OptionError, match="'cohort'"):
        survey(_examples(), cohort=1)
