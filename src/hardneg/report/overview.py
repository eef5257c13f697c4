"""The head of the page: what came out, in one sentence and six figures, and by which steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.report.facts import Facts, State
from hardneg.report.numbers import count, median, number, plural, share
from hardneg.report.reasons import skipped_meaning
from hardneg.table import Grade

__all__ = ["Figure", "Overview", "overview", "skipped"]


@dataclass(frozen=True)
class Figure:
    """One figure with its name and a remark; ``parts`` are shares in percent, drawn as one bar."""

    name: str
    value: str
    remark: str
    parts: tuple[tuple[str, float, float], ...] = ()  # (grade, start, width)


@dataclass(frozen=True)
class Overview:
    """What the head of the page shows."""

    name: str
    sentences: list[str]
    steps: list[tuple[str, list[str]]]
    figures: list[Figure]
    labelled: bool
    title: str = "hard negatives"


def overview(facts: Facts) -> Overview:
    """Sum up a run."""
    manifest = facts.run.manifest
    steps = [
        ("Sources", manifest["steps"]["sources"]),
        ("Encoder", [str(manifest.get("encoder", "vectors"))]),
        ("Filters", manifest["steps"]["filters"]),
        ("Sampler", manifest["steps"]["sampler"]),
        ("Seed", [str(manifest["seed"])]),
    ]
    return Overview(
        # The data's own name, so that a run has the same page wherever it lies.
        name=str(manifest.get("data", {}).get("name") or facts.run.path.name),
        sentences=[*_outcome(facts), *_set_aside(facts)],
        steps=steps,
        figures=_figures(facts),
        labelled=facts.classes is not None,
    )


def skipped(facts: Facts) -> list[dict[str, Any]]:
    """What was left out on reading, with the reason in words."""
    rows: list[dict[str, Any]] = list(facts.run.manifest.get("skipped", []))
    return [{**row, "sentence": skipped_meaning(row["reason"])} for row in rows]


def _short(facts: Facts) -> int:
    return int((facts.by_anchor[facts.minable, State.SAMPLED] < facts.wanted[facts.minable]).sum())


def _wanted(facts: Facts) -> str:
    """How many each anchor wants, where all want the same; else that it depends on its positives."""
    numbers = np.unique(facts.wanted[facts.minable])
    return f"{numbers[0]}" if len(numbers) == 1 else "number"


def _outcome(facts: Facts) -> list[str]:
    ledger = facts.run.ledger
    anchors = plural(len(facts.minable), "anchor")
    if facts.classes is not None and facts.classes.kind == "classes":
        anchors = plural(len(facts.minable), "class", "classes")
    head = f"{plural(ledger['sampled'], 'negative')} for {anchors}"
    if short := _short(facts):
        return [f"{head}.", f"{plural(short, 'anchor')} got fewer than the {_wanted(facts)} wanted."]
    return [f"{head}: {_wanted(facts)} each." if _wanted(facts) != "number" else f"{head}."]


def _set_aside(facts: Facts) -> list[str]:
    ledger = facts.run.ledger
    suspects, dropped = ledger["suspect"], ledger["dropped"]
    out = ["No candidate was set aside as a likely unlabelled positive."]
    if facts.classes is not None:
        out = [_in_doubt(suspects)]
    elif suspects:
        verb, were = ("looks", "was") if suspects == 1 else ("look", "were")
        what = "an unlabelled positive" if suspects == 1 else "unlabelled positives"
        out = [f"{plural(suspects, 'candidate')} {verb} like {what} and {were} set aside for review."]
    copies = sum(n for reason, n in ledger["reasons"].items() if _is_copy(reason))
    if dropped and copies == dropped:
        out.append(f"{plural(dropped, 'copy', 'copies')} {'was' if dropped == 1 else 'were'} dropped.")
    elif dropped:
        inside = f", {count(copies)} of them copies" if copies else ""
        out.append(f"{plural(dropped, 'candidate')} {'was' if dropped == 1 else 'were'} dropped{inside}.")
    return out


def _in_doubt(suspects: int) -> str:
    """What suspects are where things have labels."""
    if not suspects:
        return "No candidate was set aside: no label is in doubt."
    return (
        f"{plural(suspects, 'candidate')} may be of the anchor's class after all, since a label may be wrong or is "
        f"missing, and {'was' if suspects == 1 else 'were'} set aside for review."
    )


def _is_copy(reason: str) -> bool:
    return reason.startswith("duplicates.") and reason != "duplicates.near_copy"


def _figures(facts: Facts) -> list[Figure]:
    ledger, anchors = facts.run.ledger, len(facts.minable)
    sampled = facts.state == State.SAMPLED
    gap = median(facts.score[sampled] - facts.positive_score[sampled])
    used, short = len(np.unique(facts.item[sampled])), _short(facts)
    side = "below" if gap < 0 else "above"
    each = ledger["sampled"] / anchors if anchors else 0
    fewer = f"got fewer than the {_wanted(facts)} wanted"
    return [
        Figure("Negatives", count(ledger["sampled"]), f"{each:.3g} for each of {plural(anchors, 'anchor')}"),
        Figure(
            "Typical negative",
            number(median(facts.of(State.SAMPLED))),
            f"median score; {number(abs(gap))} {side} its positive" if ledger["sampled"] else "nothing was sampled",
        ),
        _hardness(facts),
        Figure("Suspects", count(ledger["suspect"]), f"{share(ledger['suspect'], len(facts))} of all candidates"),
        Figure("Short anchors", count(short), fewer if short else "every anchor got enough"),
        Figure("Items used", count(used), f"{share(used, facts.corpus_size())} of {count(facts.corpus_size())}"),
    ]


def _hardness(facts: Facts) -> Figure:
    """How many of the negatives are hard, semi-hard and easy, as one bar."""
    grade = facts.grade
    counts = np.bincount(grade.codes[facts.state == State.SAMPLED], minlength=len(grade.names))
    by_name = dict(zip(grade.names, counts.tolist(), strict=True))
    total, start, parts = int(counts.sum()), 0.0, []
    for one in (Grade.HARD, Grade.SEMI_HARD, Grade.EASY):
        width = 100 * by_name.get(one.name.lower(), 0) / total if total else 0.0
        parts.append((one.name.lower(), round(start, 3), round(width, 3)))
        start += width
    named = [(one, share(by_name.get(one, 0), total)) for one in ("semi_hard", "easy", "hard")]
    named.sort(key=lambda pair: -by_name.get(pair[0], 0))  # what most of them are stands first and large
    most, *others = [(one.replace("_", "-"), part) for one, part in named]
    remark = f"{most[0]}, {', '.join(f'{part} {one}' for one, part in others)}"
    return Figure("Grades", most[1], remark, tuple(parts))
