"""The section "Did mining help?": what the file says is shown; what is not known is no error; another version is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests import taught

import hardneg as hn
from hardneg.errors import InputError
from hardneg.impact import Budget, Plan, Probe, Task, measure
from hardneg.run import Run


@pytest.fixture(scope="module")
def task() -> Task:
    return taught.retrieval(queries=120, documents=300)


@pytest.fixture
def run(task: Task, tmp_path: Path) -> Run:
    return hn.mine(task.positives, encoder=task.vectors, out=tmp_path / "run")


def written(task: Task, run: Run, doses: tuple[float, ...] = ()) -> dict[str, object]:
    mined = taught.nearest(task)
    plan = Plan(seeds=2, budget=Budget(steps=5, batch=16), doses=doses)
    found = measure(task, [mined, taught.random_like(task, mined)], Probe(rate=0.01), plan).about()
    (run.path / "impact.json").write_text(json.dumps(found))
    return found


def test_a_run_without_it_has_no_section(run: Run) -> None:
    assert 'id="impact"' not in hn.write_report(run).read_text()


def test_what_was_found_is_shown(task: Task, run: Run) -> None:
    found = written(task, run, (0.0, 0.5, 1.0))
    page = hn.write_report(run).read_text()
    assert str(found["sentence"]) in page
    section = page[page.index('<section id="impact"') :]
    section = section[: section.index("</section>")]
    assert section.count('class="dot') == 2 + 3  # two arms, three doses
    assert "the nearest" in page
    assert "What changed against random" in page
    ends = [end for arm in found["arms"] for one in arm["figures"].values() for end in (one["low"], one["high"])]  # type: ignore[attr-defined]
    assert all(0 <= one <= 1 for one in ends)


def test_of_one_group_nothing_is_known_and_the_page_says_so(task: Task, run: Run) -> None:
    parts = replace(task.parts, lots=np.zeros_like(task.parts.lots))
    found = written(replace(task, parts=parts), run)
    assert "of one group nothing follows for others" in str(found["sentence"])
    assert found["verdict"] == "cannot tell"
    page = hn.write_report(run).read_text()
    assert "of one group nothing follows" in page


def test_another_version_and_a_hole_are_said(task: Task, run: Run) -> None:
    found = written(task, run)
    file = run.path / "impact.json"
    file.write_text(json.dumps({**found, "impact_version": 99}))
    with pytest.raises(InputError, match="another version"):
        hn.write_report(run)
    file.write_text(json.dumps({key: value for key, value in found.items() if key != "arms"}))
    with pytest.raises(InputError, match="damaged"):
        hn.write_report(run)
