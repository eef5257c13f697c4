"""What the map draws, held against the run itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.unit.report.conftest import MakeRun

from hardneg.report.facts import Facts, State
from hardneg.report.map import HEIGHT, WIDTH, plane_map
from hardneg.run import PLANE, Run


def test_it_draws_what_the_run_says(run: Run) -> None:
    facts = Facts.gather(run)
    made = plane_map(facts)
    assert made is not None
    assert made.shown == made.of == len(facts.minable)
    items, anchors = made.data["items"], made.data["anchors"]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in items)
    dots = sum(len(re.findall(r"M\d+ \d+h0", path)) for _, path in made.layers)
    assert dots <= len(items)
    assert dots >= len({tuple(one) for one in items})
    for at, anchor in enumerate(facts.minable.tolist()):
        words, _, _, positives, negatives, _ = anchors[at]
        assert words == f"question {anchor} on topic {anchor % 9}"
        assert len(positives) == min(4, len(facts.positive[anchor]))
        mine = (facts.anchor == anchor) & (facts.state == State.SAMPLED)
        assert len(negatives) == min(int(mine.sum()), 8)


def test_what_is_near_among_all_numbers_is_drawn_to_scale(run: Run) -> None:
    made = plane_map(Facts.gather(run))
    table = run.plane
    assert made is not None
    assert table is not None
    drawn = np.array([one[1:3] for one in made.data["anchors"]], float)
    places = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)[: len(drawn)]
    scale = np.linalg.norm(drawn[0] - drawn[7]) / np.linalg.norm(places[0] - places[7])
    apart = np.linalg.norm(drawn[:, None] - drawn[None], axis=-1)
    truly = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.testing.assert_allclose(apart, truly * scale, atol=0.05 * apart.max())


def test_a_run_without_places_has_no_map(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / PLANE).unlink()
    assert plane_map(Facts.gather(Run.open(run.path))) is None


def test_places_of_other_tables_are_not_drawn(make_run: MakeRun, tmp_path: Path) -> None:
    run, other = make_run(), make_run("other", items=60)
    (tmp_path / "sample" / PLANE).write_bytes((other.path / PLANE).read_bytes())
    assert plane_map(Facts.gather(replace(run))) is None
