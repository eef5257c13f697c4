"""What the report says of reviewers, and what it advises."""

from __future__ import annotations

from tests.unit.report.conftest import MakeRun

from hardneg.auditing import audit
from hardneg.decisions import FILE, Decision, append, now
from hardneg.report import write_report
from hardneg.report.advice import advice
from hardneg.report.facts import Facts
from hardneg.report.reviewed import reviewed
from hardneg.run import Run


def said(run: Run, row: int, answer: str, who: str) -> None:
    one = run.negatives.slice(row, 1).to_pylist()[0]
    append(run.path / FILE, [Decision(one["anchor"], one["item"], answer, who, now())])  # type: ignore[arg-type]


def commands(run: Run) -> list[str]:
    return [step.command.split()[1] for step in advice(Facts.gather(run))]


def test_a_run_that_nobody_has_looked_at_wants_an_audit(make_run: MakeRun) -> None:
    run = make_run()
    assert reviewed(Facts.gather(run)) is None
    assert commands(run) == ["review", "audit", "export"]
    audit(run).write(run.path)
    assert commands(run) == ["review", "export"]


def test_answers_wait_to_be_used(make_run: MakeRun) -> None:
    run = make_run(sampler=["top(n=6)", "caps(per_item=1)"])
    for row, answer, who in ((0, "positive", "ada"), (0, "positive", "<b>"), (1, "negative", "ada"), (1, "skip", "<b>"),
                             (2, "ignore", "ada"), (2, "negative", "<b>")):  # fmt: skip
        said(run, row, answer, who)
    found = reviewed(Facts.gather(run))
    assert found is not None
    assert found.pairs == {"negative": 1, "positive": 1, "ignore": 0}
    assert (found.disputed, found.found.shared) == (1, 2)
    assert commands(run)[0] == "refilter"
    assert "show" in commands(run)
    page = write_report(run).read_text()
    assert "What reviewers said" in page
    assert "<b></span>" not in page
