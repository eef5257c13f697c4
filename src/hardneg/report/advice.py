"""What to do next with a run, from what is there and what is not."""

from __future__ import annotations

from typing import NamedTuple

from hardneg.auditing.result import FILE as AUDIT
from hardneg.decisions import FILE, read_decisions
from hardneg.report.facts import Facts, State
from hardneg.report.numbers import plural, share
from hardneg.run import Run

__all__ = ["Step", "advice", "usual_export"]

_FEW = 0.01  # a share of suspects that is not worth a word


class Step(NamedTuple):
    """Something to do: what for, and the command."""

    why: str
    command: str


def advice(facts: Facts) -> list[Step]:
    """The next steps, the most useful first. Commands name the run alone: a page is the same wherever it lies."""
    name = facts.run.path.name
    decisions = read_decisions(facts.run.path / FILE)
    suspects = int((facts.state == State.SUSPECT).sum())
    out = []
    if decisions:
        why = f"Put {plural(len(decisions), 'answer')} of reviewers to use: positives go, freed suspects may be mined."
        out.append(Step(why, f"hardneg refilter {name} -o {name}-reviewed"))
    if not (facts.run.path / AUDIT).is_file():
        why = "See how many of the negatives are false, with an interval: answer the sample for the audit, 40 or more."
        out.append(Step(why, f"hardneg review {name}"))
        out.append(Step("Then have it worked out, here and on the terminal.", f"hardneg audit {name}"))
    elif suspects > _FEW * len(facts):
        why = f"Look at the suspects: {share(suspects, len(facts))} of the candidates, and likely positives."
        out.append(Step(why, f"hardneg review {name}"))
    if facts.run.manifest["shortage"]["anchors"]:
        out.append(
            Step("See which anchors came up short, and what would give them more.", f"hardneg show {name} --short")
        )
    why = "Train on it. All formats: hardneg export --list"
    return [*out, Step(why, f"hardneg export {name} --format {usual_export(facts.run)}")]


def usual_export(run: Run) -> str:
    """The format that most would want for what was mined, and a place."""
    if "box" in run.items.table.column_names:
        return "coco -o train.json"
    return "sentence-transformers -o train.parquet" if run.items.sounds is None else "sound-folder -o train"
