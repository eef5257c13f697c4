"""The demo keeps its promises: what the answer key says is planted is there."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from hardneg.demo import demo_data
from hardneg.filters.duplicates import normalised

AT_LEAST = {
    "copy": 8,
    "near_copy": 10,
    "unlabelled_positive": 25,
    "shared": 8,
    "question_copy": 5,
    "look_alike": 40,
    "hub": 2,
}

Pairs = list[tuple[str, str]]


def lines(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (demo_data() / name).read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


CORPUS, QUERIES = lines("corpus.jsonl"), lines("queries.jsonl")
PASSAGES = {row["_id"]: row for row in CORPUS}
QUESTIONS = {row["_id"]: row["text"] for row in QUERIES}
QRELS = table(demo_data() / "qrels" / "train.tsv")
PLANTED = table(demo_data() / "planted.tsv")
GRADES = {(row["query-id"], row["corpus-id"]): int(row["score"]) for row in QRELS}
POSITIVES = {query: {item for (q, item), grade in GRADES.items() if q == query and grade > 0} for query in QUESTIONS}


def planted(kind: str) -> Pairs:
    return [(row["query-id"], row["corpus-id"]) for row in PLANTED if row["kind"] == kind]


def plain(item: str) -> str:
    return normalised(f"{PASSAGES[item]['title']} {PASSAGES[item]['text']}")


def copies_a_positive(query: str, item: str) -> bool:
    return plain(item) in {plain(positive) for positive in POSITIVES[query]}


def test_there_is_enough_of_everything() -> None:
    assert len(CORPUS) >= 150
    assert len(QUERIES) >= 120
    grades = Counter(GRADES.values())
    assert set(grades) == {1, 0, -1}
    assert grades[0] >= 12
    assert grades[-1] >= 4
    kinds = Counter(row["kind"] for row in PLANTED)
    assert set(kinds) == set(AT_LEAST)
    assert {kind: count for kind, count in kinds.items() if count < AT_LEAST[kind]} == {}


@pytest.mark.parametrize("kind", ["copy", "near_copy", "question_copy", "hub"])
def test_the_counts_are_of_passages_too(kind: str) -> None:
    assert len({item for _, item in planted(kind)}) >= AT_LEAST[kind]


def test_ids_are_unique() -> None:
    assert len(PASSAGES) == len(CORPUS)
    assert len(QUESTIONS) == len(QUERIES)
    assert len(GRADES) == len(QRELS)
    assert len({(row["query-id"], row["corpus-id"]) for row in PLANTED}) == len(PLANTED)


def test_ids_exist() -> None:
    pairs = {*GRADES, *((row["query-id"], row["corpus-id"]) for row in PLANTED if row["kind"] != "hub")}
    assert {query for query, _ in pairs} <= set(QUESTIONS)
    assert {item for _, item in pairs} | {item for _, item in planted("hub")} <= set(PASSAGES)
    assert {query for query, _ in planted("hub")} == {"*"}


def test_every_question_has_one_to_three_positives() -> None:
    assert {query: items for query, items in POSITIVES.items() if not 1 <= len(items) <= 3} == {}


def test_nothing_planted_is_judged() -> None:
    assert [row for row in PLANTED if (row["query-id"], row["corpus-id"]) in GRADES] == []


def test_copies_are_equal_once_normalised() -> None:
    assert [pair for pair in planted("copy") if not copies_a_positive(*pair)] == []


@pytest.mark.parametrize("kind", ["near_copy", "unlabelled_positive", "shared", "look_alike"])
def test_what_is_no_copy_differs(kind: str) -> None:
    assert [pair for pair in planted(kind) if copies_a_positive(*pair)] == []


def test_every_copy_of_a_positive_is_planted() -> None:
    there = {(q, i) for q in QUESTIONS for i in PASSAGES if i not in POSITIVES[q] and copies_a_positive(q, i)}
    assert there == set(planted("copy"))


def test_near_copies_share_most_words_with_a_positive() -> None:
    def overlap(query: str, item: str) -> float:
        words = set(plain(item).split())
        others = [set(plain(positive).split()) for positive in POSITIVES[query]]
        return max(len(words & other) / len(words | other) for other in others)

    assert [pair for pair in planted("near_copy") if overlap(*pair) < 0.7] == []


def test_shared_positives_belong_to_a_question_that_shares_one() -> None:
    def friends(query: str) -> set[str]:
        return {item for items in POSITIVES.values() if items & POSITIVES[query] for item in items}

    assert [(query, item) for query, item in planted("shared") if item not in friends(query)] == []
    assert [(query, item) for query, item in planted("unlabelled_positive") if item in friends(query)] == []


def test_question_copies_repeat_the_question() -> None:
    assert [(q, i) for q, i in planted("question_copy") if plain(i) != normalised(QUESTIONS[q])] == []


def test_passages_are_short_and_titled_but_for_the_forum_posts() -> None:
    posts = {item for _, item in planted("question_copy")}
    articles = [row for row in CORPUS if row["_id"] not in posts]
    assert [row for row in articles if not row["title"] or not 25 <= len(row["text"].split()) <= 70] == []
