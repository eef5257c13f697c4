"""axe-core finds nothing serious on any page, light or dark, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.detected import mined
from tests.heard import heard
from tests.served import served
from tests.unit.report.conftest import build

from hardneg.compare import compare, write_comparison
from hardneg.decisions import FILE, Decision, append, now
from hardneg.mining import refilter
from hardneg.report import write_report

package = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
AXE = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [{"color_scheme": "light", "width": 1200}, {"color_scheme": "dark", "width": 390}]


@pytest.fixture(scope="module", params=LOOKS, ids=["light, wide", "dark, narrow"])
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    look = dict(request.param)
    # The pages' own policy keeps axe out, so it is set aside here; the other tests run with it.
    context = browser.new_context(viewport={"width": look.pop("width"), "height": 900}, bypass_csp=True, **look)
    yield context.new_page()
    context.close()


def findings(page: Any) -> list[str]:
    """What axe calls serious or critical."""
    page.evaluate(AXE)
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    assert found["passes"], "axe has looked at nothing"
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def test_the_review_of_texts(page: Any, tmp_path: Path) -> None:
    run = build(tmp_path / "run", hostile=True)
    pair = run.candidates.table.slice(0, 1).to_pylist()[0]
    for who, answer in (("ada", "positive"), ("ben", "negative")):
        append(run.path / FILE, [Decision(pair["anchor"], pair["item"], answer, who, now())])  # type: ignore[arg-type]
    with served(run.path) as server:
        root = server.address.partition("?")[0]
        for path in ("?who=ada", "?who=ada&queue=all&at=0&sort=score", "?who=ada&layout=grid", "agreement?who=ada", "",
                     "?who=ada&search=nothing+says+this", "?who=ada&queue=none", "?who=ada&queue=sample"):  # fmt: skip
            page.goto(root + path)
            assert findings(page) == [], path


def test_the_review_of_boxes_and_sounds(page: Any, tmp_path: Path) -> None:
    (tmp_path / "boxes").mkdir()
    for run in (mined(tmp_path / "boxes"), heard(tmp_path / "sounds")):
        with served(run.path) as server:
            for more in ("", "&layout=grid"):
                page.goto(server.address + more)
                assert findings(page) == [], more


def test_the_report_and_the_comparison(page: Any, tmp_path: Path) -> None:
    run = build(tmp_path / "run", hostile=True)
    (tmp_path / "boxes").mkdir()
    other = refilter(run, filters=["margin(relative=0.3)"], out=tmp_path / "other")
    pages = [write_report(one) for one in (run, mined(tmp_path / "boxes"), heard(tmp_path / "sounds"))]
    for path in (*pages, write_comparison(compare(run, other), tmp_path / "changes.html")):
        page.goto(path.as_uri())
        assert findings(page) == [], path.name
