from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions
from hardneg.positives import Positives
from hardneg.recipe import Recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[mine]\nseed = "7"', "The 'seed' must be a whole number. Got '7'."),
        ("[mine]\nseed = true", "The 'seed' must be a whole number. Got True."),
        ("[mine]\nencoder = 3", "The 'encoder' must be text. Got 3."),
        ("[mine]\nsources = 5", "The 'sources' must be text, or a list of such. Got 5."),
        ('[mine]\nfilters = ["known", 1]', "The 'filters' must be text, or a list of such. Got ['known', 1]."),
        ('positive_from = "2"', "The 'positive_from' must be a number. Got '2'."),
        ('ignore = ["x"]', "The 'ignore' must be a number, or a list of such. Got ['x']."),
        ("mine_evaluation = 1", "The 'mine_evaluation' must be true or false. Got 1."),
        ('anchors = "both"', "The 'anchors' must be items or classes. Got both."),
        ("corpus = 1", "The 'corpus' must be text. Got 1."),
        ('grades = {SUPPORT = "yes"}', "The 'grades' must be a table, with a number for each name."),
        ('columns = ["anchor"]', "The 'columns' must be a table, with text for each name."),
        ('anchor_vectors = "v.npy"', "The 'anchor_vectors' and 'item_vectors' go together"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(f'[data]\npath = "x"\n{text}\n')
    with pytest.raises(InputError) as caught:
        Recipe.load(file)
    assert str(caught.value).startswith(f"{file}: {message}")


@pytest.mark.parametrize("text", ['data = "x"', '[data]\npath = "x"\n[[mine]]\nseed = 1'])
def test_the_tables_must_be_tables(text: str) -> None:
    with pytest.raises(OptionError, match="must be a table"):
        Recipe.parse(text, Path())


def test_one_value_does_for_a_list_of_one(tmp_path: Path) -> None:
    text = '[data]\npath = "x"\nignore = -1\nexclude_split = "test"\n[mine]\nfilters = "known"\nseed = 3\n'
    made = Recipe.parse(text, tmp_path)
    assert made == Recipe(
        tmp_path / "x", read=ReadOptions(ignore=(-1,), exclude_split=("test",)), filters=("known",), seed=3
    )
    assert Recipe.parse(made.text(tmp_path), tmp_path) == made


def test_options_of_labelled_data_come_back(tmp_path: Path) -> None:
    options = ReadOptions(
        split="dev", anchors="classes", unlabelled=tmp_path / "pool", media_root=tmp_path, mine_evaluation=True,
        columns={"label": "stars"}, item_vectors=tmp_path / "v.npy",
    )  # fmt: skip
    made = Recipe(tmp_path / "data.csv", read=options)
    text = made.text(tmp_path / "runs")
    assert 'unlabelled = "../pool"' in text
    assert "mine_evaluation = true" in text
    assert Recipe.parse(text, tmp_path / "runs") == made
    groups = Recipe(tmp_path / "data.csv", read=ReadOptions(positives="groups"))
    assert Recipe.parse(groups.text(tmp_path), tmp_path) == groups


def test_what_is_not_named_is_chosen_by_the_data() -> None:
    recipe = Recipe(Path("x"))
    pairs = recipe.suited(Positives.from_pairs(["q"], ["a"]))
    assert pairs.encoder == "wordllama"
    assert pairs.filters == ("known", "duplicates(similarity=0.97)", "margin(relative=0.05, reference=mean)")
    items = Collection(pa.table({"id": ["a", "b"], "path": ["a.png", "b.png"], "label": ["x", "y"]}))
    labelled = recipe.suited(Positives.from_labels(items))
    assert labelled.encoder == "descriptor"
    assert labelled.filters == ("known", "duplicates(similarity=0.97)", "mislabelled")
    pool = Collection(pa.table({"id": ["a", "b", "c"], "path": ["a.png"] * 3, "label": ["x", "y", None]}))
    assert recipe.suited(Positives.from_labels(pool)).filters == (*labelled.filters, "unlabelled")
    groups = Positives.from_groups(items, group="label")
    assert recipe.suited(groups).filters == ("known", "duplicates(similarity=0.97)")
    named = Recipe(Path("x"), encoder="wordllama", filters=("margin(relative=0.2)",)).suited(
        Positives.from_labels(items)
    )
    assert named.encoder == "wordllama"
    assert "margin(relative=0.2)" in (named.filters or ())
    assert recipe.checked().text(Path()) == recipe.text(Path())
