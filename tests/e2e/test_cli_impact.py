"""``hardneg impact`` as a user has it: the demo, one's own training, digits with a test split, errors, the page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from tests import boxed
from tests.e2e.conftest import Open
from tests.e2e.test_cli import failed, hardneg, succeeded

QUICK = ("--seeds", "2", "--steps", "15", "--batch", "16")

TRAIN = """
import numpy as np

def train(lesson, seed):
    triplets = list(lesson.triplets())
    words = {}
    for text in lesson.items.texts.to_pylist() + lesson.anchors.texts.to_pylist():
        for word in text.lower().split():
            words.setdefault(word, len(words))

    def vectors(things):
        out = np.zeros((len(things), len(words)))
        for row, text in enumerate(things.texts.to_pylist()):
            for word in text.lower().split():
                out[row, words[word]] = 1
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    return lambda left, right: vectors(left) @ vectors(right).T + 1e-9 * len(triplets)


def broken(lesson, seed):
    raise RuntimeError("out of ideas")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("impact")
    succeeded(hardneg("demo", "--out", "demo", cwd=folder))
    (folder / "training.py").write_text(TRAIN)
    return folder


def test_the_demo(place: Path) -> None:
    against = "naive,margin(relative=0.05, reference=max)"
    text = succeeded(hardneg("impact", "demo", *QUICK, "--against", against, "--cache", "cache", cwd=place))
    assert "Retrieval; held out: 162 of the same data in 5 folds, each in turn, none with a positive" in text
    assert "mining helped: nDCG@10" in text
    assert "Dose: on" in text
    found = json.loads((place / "demo" / "impact.json").read_text())
    names = ["run", "random", "none", "naive", "margin(relative=0.05, reference=max)", "untrained"]
    assert [arm["name"] for arm in found["arms"]] == names
    assert found["held_out"]["test"] == 162
    assert not found["leaks"]
    assert not (place / "demo" / "impact.json.partial").exists()
    assert 'id="impact"' in (place / "demo" / "report.html").read_text()
    before = (place / "demo" / "impact.json").read_bytes()
    succeeded(hardneg("impact", "demo", *QUICK, "--against", against, "--cache", "cache", cwd=place))
    assert (place / "demo" / "impact.json").read_bytes() == before


def test_training_of_ones_own(place: Path) -> None:
    text = succeeded(
        hardneg(
            "impact",
            "demo",
            *QUICK,
            "--no-dose",
            "--train",
            "training.py:train",
            "-o",
            "own.json",
            "--cache",
            "cache",
            cwd=place,
        )
    )
    assert "Wrote own.json" in text
    found = json.loads((place / "own.json").read_text())
    assert found["verdict"] == "cannot tell"
    assert found["learner"].startswith("training.py:train ")
    assert found["comparisons"][0]["differences"]["nDCG@10"]["value"] == 0
    broken = hardneg(
        "impact", "demo", *QUICK, "--train", "training.py:broken", "-o", "x.json", "--cache", "cache", cwd=place
    )
    failed(broken, "failed in training (RuntimeError: out of ideas)")


def test_another_split_of_judged_queries_is_held_out(place: Path) -> None:
    """A BEIR folder with two splits; a query that is in both is not trained on."""
    folder = place / "beir"
    (folder / "qrels").mkdir(parents=True)
    texts = [f"{one} {two}" for one in ("red", "blue", "green", "loud") for two in ("fox", "hen", "owl", "cow", "pig")]
    docs = [{"_id": f"d{row}", "title": "", "text": f"all about the {text}"} for row, text in enumerate(texts)]
    queries = [{"_id": f"q{row}", "text": f"where is a {texts[row % 20]} {row}"} for row in range(40)]
    sides: list[tuple[str, list[dict[str, str]]]] = [("corpus", docs), ("queries", queries)]
    for name, rows in sides:
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split, asked in (("train", range(30)), ("test", range(28, 40))):
        lines = [f"q{row}\td{row % 20}\t1" for row in asked]
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    succeeded(hardneg("mine", "beir", "--split", "train", "-o", "split", "--cache", "cache", cwd=place))
    quick = (*QUICK, "--no-dose", "--cache", "cache")
    text = succeeded(hardneg("impact", "split", *quick, cwd=place))
    assert "held out: 12 of another split of the data" in text
    found = json.loads((place / "split" / "impact.json").read_text())
    assert found["held_out"]["train"] + found["held_out"]["validation"] == 28
    assert {one["what"]: one["count"] for one in found["leaks"]}["shares a positive"] > 0
    failed(hardneg("impact", "split", "--held-out-split", "dev", "--cache", "cache", cwd=place), "There are: test")


def test_what_is_wrong_is_said(place: Path) -> None:
    failed(
        hardneg("impact", "demo", "--against", "nothing", "--cache", "cache", cwd=place),
        "nothing called 'nothing'",
        "naive",
    )
    failed(
        hardneg("impact", "demo", "--task", "verification", "--cache", "cache", cwd=place), "needs items with labels"
    )
    failed(
        hardneg("impact", "demo", "--held-out-split", "test", "--cache", "cache", cwd=place), "no other split 'test'"
    )
    failed(hardneg("impact", "demo", "--seeds", "0", cwd=place), "'seeds' must be at least 1")
    failed(hardneg("impact", "demo", "--train", "training.py:none", cwd=place), "has no function 'none'")
    failed(hardneg("impact", "demo", "--train", "a:b", "--model", "c", cwd=place), "either a model")
    (place / "empty").mkdir(exist_ok=True)
    failed(hardneg("impact", "empty", cwd=place), "is not a run")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as pictures, a table that says which are for training and which for the test; the run of a mining."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = load_digits(return_X_y=True)
    with (folder / "digits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        for number, (pixels, label) in enumerate(zip(images[:360], labels[:360], strict=True)):
            name = f"{number}.png"
            Image.fromarray((pixels.reshape(8, 8) * 15).astype(np.uint8)).resize((32, 32)).save(folder / name)
            writer.writerow([name, f"digit {label}", "test" if number % 3 == 0 else "train"])
    succeeded(hardneg("mine", "digits.csv", "-o", "run", "--no-cache", cwd=folder))
    return folder


def test_digits_are_judged_on_their_test_split(digits: Path) -> None:
    text = succeeded(hardneg("impact", "run", "--seeds", "2", "--no-cache", cwd=digits))
    assert "Classification; held out: 120 of another split of the data" in text
    found = json.loads((digits / "run" / "impact.json").read_text())
    assert found["measures"][0]["name"] == "accuracy"
    arms = {arm["name"]: arm for arm in found["arms"]}
    assert arms["none"]["figures"]["accuracy"]["value"] > 0.8
    assert arms["none"]["negatives"] == 0
    assert arms["random"]["negatives"] == arms["run"]["negatives"] > 0


def test_digits_as_identities(digits: Path) -> None:
    text = succeeded(
        hardneg("impact", "run", *QUICK, "--task", "verification", "--no-cache", "-o", "v.json", cwd=digits)
    )
    assert "Verification; held out" in text
    found = json.loads((digits / "v.json").read_text())
    assert found["measures"][0] == {"name": "EER", "better": -1, "words": "equal error rate"}
    assert [one["what"] for one in found["leaks"]][:1] == ["same identity"]  # the digits of both splits are the same


def test_the_page_shows_it(place: Path, visit: Open) -> None:
    if not (place / "demo" / "impact.json").is_file():
        succeeded(hardneg("impact", "demo", *QUICK, "--cache", "cache", cwd=place))
    for width in (1200, 380):
        page = visit(place / "demo" / "report.html", width)
        section = page.locator("#impact")
        assert "mining helped" in section.locator(".verdict").inner_text()
        assert section.locator(".forest .dot").count() >= 4
        assert section.locator(".dose .dot").count() == 5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        section.locator("summary", has_text="All measures").click()
        assert "MRR@10" in section.inner_text()


def test_texts_of_the_page_are_escaped_and_a_damaged_file_is_said(place: Path, visit: Open) -> None:
    file = place / "demo" / "impact.json"
    old = file.read_text()
    found = json.loads(old)
    attack = "<img src=x onerror=\"window.pwned = 'image'\"></script><script>window.pwned=1</script>"
    found["sentence"] = attack
    found["changes"]["most_better"] = [
        {"id": attack, "text": attack, "before": 0.1, "after": 0.5, "first_before": attack, "first_after": attack,
         "right": attack}
    ]  # fmt: skip
    file.write_text(json.dumps(found))
    succeeded(hardneg("report", "demo", cwd=place))
    page = visit(place / "demo" / "report.html")
    assert attack in page.locator("#impact .verdict").inner_text()
    file.write_text("{")
    failed(hardneg("report", "demo", cwd=place), "impact.json: The file is damaged", "Run hardneg impact again")
    file.write_text(old)
    succeeded(hardneg("report", "demo", cwd=place))


def test_a_detector_of_boxes_is_trained_by_the_users_own_function(
    tmp_path: Path, visit: Open, said_by_curve: Open
) -> None:
    pytest.importorskip("hotcoco")
    boxed.mined(tmp_path / "world")
    refused = hardneg("impact", "run", cwd=tmp_path / "world")
    failed(refused, "A run of boxes is measured by your own training of a detector", "--train module:function")
    command = ("impact", "run", "--train", "training.py:train", "--seeds", "2")
    text = succeeded(hardneg(*command, cwd=tmp_path / "world"))
    assert "Detection; held out: 12 drawn from the same data. 24 to train with." in text
    assert "AP50" in text
    before = (tmp_path / "world" / "run" / "impact.json").read_bytes()
    succeeded(hardneg(*command, cwd=tmp_path / "world"))
    assert (tmp_path / "world" / "run" / "impact.json").read_bytes() == before
    for width in (1200, 380):
        page = visit(tmp_path / "world" / "run" / "report.html", width)
        section = page.locator("#impact")
        assert "Misses and false positives" in section.inner_text()
        assert section.locator(".curve-band").count() == 4
        assert section.locator(".dose .dot").count() == 5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "False positives per image 0.01: boxes missed run" in said_by_curve(section)


def test_listenings_are_compared_without_other_options(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    refused = hardneg("impact", "new", "--before", "old", "--seeds", "3", "--no-dose", cwd=tmp_path)
    failed(refused, "--before goes without --seeds, --no-dose")
