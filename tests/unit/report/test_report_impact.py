"""The section "Did mining help?": what the file says is shown; what is not known is no error; another version is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm
from tests import taught

import hardneg as hn
from hardneg.errors import InputError
from hardneg.impact import Budget, Plan, Probe, Task, measure
from hardneg.impact.arms import no_mining
from hardneg.impact.operating import decades
from hardneg.report.impact_curves import operating_charts
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


def charts_of(page: str) -> list[str]:
    section = page[page.index('<section id="impact"') :]
    return section[: section.index("</section>")].split('<figure class="chart curve"')[1:]


def test_curves_are_drawn_and_stand_in_tables(run: Run) -> None:
    task = taught.labelled(0, "verification", classes=14, each=12)
    plan = Plan(seeds=2, budget=Budget(steps=16, batch=16), doses=())
    probe = Probe(rate=0.01)
    arms = [replace(no_mining(task), name=name) for name in ("run", "<b>random</b>")]
    found = measure(task, arms, probe, plan).about()
    (run.path / "impact.json").write_text(json.dumps(found))
    page = hn.write_report(run).read_text()
    charts = charts_of(page)
    assert len(charts) == 4  # ROC, DET, in training, on validation data
    for chart, title in zip(charts, ("ROC", "DET", "In training", "On validation data"), strict=True):
        assert f'aria-label="{title}: ' in chart
        assert chart.count('class="curve-line') == 2 * 2  # each in the legend, too
        assert chart.count('class="curve-band') == 2
        assert "<b>" not in chart
        assert "The same as a table" in chart
    curve = found["operating"]["arms"][0]
    at = found["operating"]["rates"].index(0.1)
    value, low, high = (curve[name][at] for name in ("value", "low", "high"))
    assert f'<td class="num">{value:.3f} ({low:.3f} to {high:.3f})</td>' in charts[0]
    assert f'<td class="num">{1 - value:.3f} ({1 - high:.3f} to {1 - low:.3f})</td>' in charts[1]
    assert f"{found['learning']['arms'][0]['train']['value'][-1]:.3f} (" in charts[2]


def test_a_det_plot_has_axes_of_normal_deviates() -> None:
    rates = decades(-3, 0)
    normal = norm.cdf(norm.ppf(rates) + 2).tolist()
    found = {
        "arms": [{"name": "run", "figures": {"FPR": {"value": 0.01}, "TPR": {"value": 0.9}}}],
        "operating": {
            "across": "false accepts", "rates": rates.tolist(),
            "arms": [{"name": "run", **dict.fromkeys(("value", "low", "high"), normal)}],
        },
    }  # fmt: skip
    _, det = operating_charts(found)
    points = np.array([one.split(",") for one in det.lines[0].points.split()], float)
    slope = np.diff(points[:, 1]) / np.diff(points[:, 0])
    middle = (points[1:, 1] > 2) & (points[1:, 1] < 98) & (np.diff(points[:, 0]) > 1)
    assert slope[middle].std() < 0.15 * abs(slope[middle].mean())  # equal normal deviates apart: a straight line
    ticks = {text: place for place, text in det.xticks}
    ends = norm.ppf([rates[0], 0.6])
    assert ticks["10%"] == pytest.approx(100 * (norm.ppf(0.1) - ends[0]) / (ends[1] - ends[0]), abs=0.01)
    assert det.lines[0].dots[0].x == pytest.approx(100 * (norm.ppf(0.01) - ends[0]) / (ends[1] - ends[0]), abs=0.01)


def test_a_file_without_curves_is_shown_as_before(task: Task, run: Run) -> None:
    found = written(task, run)
    assert found["operating"] is None
    (run.path / "impact.json").write_text(
        json.dumps({k: v for k, v in found.items() if k not in ("operating", "learning")})
    )
    assert charts_of(hn.write_report(run).read_text()) == []
