"""The review formats: what was sampled and what is suspect, told apart."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from hardneg.io.writers import export
from hardneg.run import Run


def pairs(rows: list[Any]) -> set[tuple[object, object]]:
    return {(row["anchor"], row["item"]) for row in rows}


def test_spotlight_holds_sampled_and_suspects(run: Run, tmp_path: Path) -> None:
    report = export(run, "spotlight", tmp_path / "a.parquet")
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert len(rows) == report.rows == report.counts["sampled"] + report.counts["suspect"]
    assert pairs([row for row in rows if row["sampled"]]) == pairs(run.negatives.to_pylist())
    suspects = [row for row in rows if not row["sampled"]]
    assert pairs(suspects) == pairs(run.candidates.suspects().to_pylist())
    assert {row["verdict"] for row in suspects} == {"suspect"}
    assert all(row["reason"] and not math.isnan(row["evidence"]) for row in suspects)


def test_spotlight_texts(run: Run, number_run: Run, tmp_path: Path) -> None:
    export(run, "spotlight", tmp_path / "a.parquet")
    texts = dict(zip(run.items.ids.to_pylist(), run.items.table.column("text").to_pylist(), strict=True))
    row = pq.read_table(tmp_path / "a.parquet").to_pylist()[0]
    assert row["item_text"] == texts[row["item"]]
    assert row["positive_text"] == f"{texts['d0']}\n\n{texts['d9']}"
    export(number_run, "spotlight", tmp_path / "b.parquet")
    assert pq.read_table(tmp_path / "b.parquet").schema.field("anchor").type == "int64"


def test_spotlight_is_plain_for_pandas(run: Run, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    export(run, "spotlight", tmp_path / "a.parquet")
    frame = pandas.read_parquet(tmp_path / "a.parquet")
    assert set(frame["verdict"]) == {"keep", "suspect"}


def test_spotlight_needs_no_texts(make_run: Any, tmp_path: Path) -> None:
    assert export(make_run(texts=False), "spotlight", tmp_path / "a.parquet").rows


def test_label_studio_tasks_fit_their_config(run: Run, tmp_path: Path) -> None:
    export(run, "label-studio", tmp_path / "out")
    config = ElementTree.parse(tmp_path / "out" / "label_config.xml").getroot()
    names = {one.get("name"): one for one in config.iter() if one.get("name")}
    choices = {one.get("value") for one in config.iter("Choice")}
    variables = {str(one.get("value"))[1:] for one in config.iter("Text")}
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text(encoding="utf-8"))
    assert len(tasks) == run.negatives.num_rows + len(run.candidates.suspects())
    for task in tasks:
        assert task.keys() == {"data", "predictions"}
        assert variables <= task["data"].keys()
        assert all(isinstance(task["data"][name], str) for name in variables)
        (guess,) = task["predictions"]
        (result,) = guess["result"]
        assert isinstance(guess["score"], float)
        assert names[result["from_name"]].get("toName") == result["to_name"]
        assert result["to_name"] in names
        assert result["type"] == "choices"
        assert set(result["value"]["choices"]) <= choices
        sampled = task["data"]["sampled"]
        assert result["value"]["choices"] == ["negative" if sampled else "positive"]


def test_label_studio_has_no_figure_that_json_lacks(run: Run, tmp_path: Path) -> None:
    export(run, "label-studio", tmp_path / "out")
    text = (tmp_path / "out" / "tasks.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    kept = next(task["data"] for task in json.loads(text) if task["data"]["sampled"])
    assert kept["evidence"] is None
