from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("panphon", reason="words need the extra 'words'")

import hardneg as hn
from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.positives import Positives
from hardneg.sources import Confusable
from hardneg.words import Lexicon, apart, espeak


def scene(
    labels: Sequence[str | None],
    texts: Sequence[str | None] | None = None,
    anchors: str = "classes",
    barred: tuple[int, ...] = (),
) -> Context:
    columns: dict[str, object] = {"id": np.arange(len(labels)), "label": labels}
    if texts is not None:
        columns["text"] = texts
    minable = ~np.isin(np.arange(len(labels)), barred)
    positives = Positives.from_labels(Collection(pa.table(columns)), anchors=anchors, minable=minable)  # type: ignore[arg-type]
    vectors = np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32)
    return Context(positives, Vectors(anchors_of(vectors, positives, "cosine"), vectors))


def found(context: Context, source: Confusable) -> dict[str, list[int]]:
    rows = source.prepare(context)(np.arange(len(context.positives.anchors)))
    ids = context.positives.anchors.ids.to_pylist()
    return {str(ids[at]): rows.item[rows.anchor == at].tolist() for at in range(len(ids))}


# By hand: tree is one change from three (of th to t, 10/29), free another (of th to f, 11/29), zero is far from all.
KEYWORDS = ["three", "tree", "zero", "three", "tree", "free"]


def test_items_of_the_nearest_words_come_by_distance() -> None:
    context = scene(KEYWORDS)
    assert found(context, Confusable(nearest=2))["three"] == [1, 4, 5]
    assert found(context, Confusable(nearest=1))["three"] == [1, 4]
    assert found(context, Confusable(nearest=9, k=3))["three"] == [1, 4, 5]
    assert found(context, Confusable(nearest=9))["three"] == [1, 4, 5, 2]
    assert context.notes["confusable"]["three"].keys() == {"free", "tree", "zero"}
    rows = Confusable(nearest=2).prepare(context)(np.array([1]))  # the classes are free, three, tree, zero
    lexicon = Lexicon.load()
    wanted = [
        1 - apart(lexicon.pronounce("three")[0], lexicon.pronounce(word)[0])[0] for word in ("tree", "tree", "free")
    ]
    assert rows["source_score"].tolist() == pytest.approx(wanted)
    assert rows["rank"].tolist() == [0, 1, 2]


def test_only_words_that_may_be_mined_count() -> None:
    assert found(scene(KEYWORDS, barred=(1, 4)), Confusable(nearest=1))["three"] == [5]


def test_what_sounds_the_same_is_no_negative() -> None:
    context = scene(["two", "too", "to", "tooth", "nine"])
    assert found(context, Confusable(nearest=1))["two"] == [3]


def test_transcripts_are_searched_for_words_and_across_their_borders() -> None:
    texts = ["Alexa", "stop", "I bought a Lexus", "Alexa, a Lexus!", "nothing like it", None]
    context = scene(["alexa", "stop", None, None, None, None], texts)
    # Item 3 says the keyword itself: it is a positive that nobody wrote down.
    assert found(context, Confusable(nearest=1))["alexa"] == [2]
    assert context.notes["confusable"]["alexa"] == {"a lexus": pytest.approx(1 / 7, abs=1e-4)}


def test_an_item_with_several_words_has_the_best_of_them() -> None:
    texts = ["three", "free tree", "tree", "free"]  # item 1 is as near as tree, not as far as free
    context = scene(["three", None, None, None], texts)
    assert found(context, Confusable(nearest=2))["three"] == [1, 2, 3]


def test_labels_of_several_words() -> None:
    labels = ["turn_on", "turn off", "turn-in", "hey computer", "day commuter"]
    assert found(scene(labels), Confusable(nearest=1))["hey computer"] == [4]
    assert found(scene(labels), Confusable(nearest=1))["turn_on"] == [2]


def test_anchors_with_two_labels_have_the_words_of_both() -> None:
    table = pa.table({"id": range(4), "label": [["three", "go"], ["tree"], ["no"], ["house"]]})
    positives = Positives.from_labels(Collection(table))
    vectors = np.eye(4, dtype=np.float32)
    context = Context(positives, Vectors(vectors, vectors))
    assert found(context, Confusable(nearest=1))["0"] == [1, 2]


def test_labels_that_cannot_be_pronounced_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_place", lambda: None)
    context = scene(["three", "zorblax", "tree"])
    assert found(context, Confusable()) == {"three": [2], "tree": [0], "zorblax": []}
    assert context.notes["unpronounced"] == {"labels": ["zorblax"], "words": 1, "examples": ["zorblax"]}
    with pytest.raises(InputError, match="how to pronounce 'qqx', 'zorblax'"):
        Confusable().prepare(scene(["qqx", "zorblax"]))


def test_the_users_own_pronunciations(tmp_path: Path) -> None:
    file = tmp_path / "own.tsv"
    file.write_text("zorblax\tθɹi\n", encoding="utf-8")
    assert found(scene(["zorblax", "house", "tree"]), Confusable(nearest=1, lexicon=str(file)))["zorblax"] == [2]


def test_options_are_checked() -> None:
    for wrong in ({"k": 0}, {"nearest": 0}):
        with pytest.raises(OptionError):
            Confusable(**wrong)  # type: ignore[arg-type]


def test_digits_by_hand(data_dir: Path) -> None:
    """Labels of the Free Spoken Digit Dataset: five, nine and four as a plain count over all pairs has them."""
    with (data_dir / "speech_fsdd" / "index.csv").open(encoding="utf-8") as lines:
        labels = [row["digit"] for row in csv.DictReader(lines)][::10]
    context = scene(list(labels))
    lexicon = Lexicon.load()
    spoken = {one: lexicon.pronounce(one) for one in set(labels)}
    lists = found(context, Confusable(nearest=3, k=10_000))
    for anchor in sorted(spoken):
        others = spoken.keys() - {anchor}
        far = {other: min(apart(a, b)[0] for a in spoken[anchor] for b in spoken[other]) for other in others}
        near = sorted(far, key=lambda other: (far[other], other))[:3]
        wanted = sorted((far[label], row) for row, label in enumerate(labels) if label in near)
        assert lists[anchor] == [row for _, row in wanted]
    assert "5" in {labels[row] for row in lists["9"]}
    assert "9" in {labels[row] for row in lists["5"]}


def test_a_mining_with_it_scores_by_the_primary_similarity() -> None:
    context = scene(KEYWORDS)
    assert context.primary is not None
    run = hn.mine(context.positives, sources="confusable(k=10, nearest=2)", encoder=context.primary, filters=["known"])
    rows = [one for one in run.candidates.table.to_pylist() if one["anchor"] == "three"]
    assert {one["item"]: round(one["source_score"], 4) for one in rows} == {
        5: round(1 - 11 / 29 / 3, 4), 1: round(1 - 10 / 29 / 3, 4), 4: round(1 - 10 / 29 / 3, 4),
    }  # fmt: skip
    assert all(one["score"] != one["source_score"] for one in rows)
    assert run.manifest["confusable"]["three"].keys() == {"free", "tree"}
