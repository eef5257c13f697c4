"""What a filter must do."""

from __future__ import annotations

import numpy as np

from hardneg.context import Context
from hardneg.filters import FILTERS, Filter, Judgement
from hardneg.table import Array, Rows, Verdict
from hardneg.testing._expect import expect, expect_round_trip, expect_same
from hardneg.testing._world import judge_columns, judged_pairs, labelled_world, world

__all__ = ["check_filter"]


def check_filter(step: Filter, context: Context | None = None, *, tolerance: float = 1e-5) -> None:
    """Raise AssertionError unless a filter keeps its promises.

    Its predicate is pure: it leaves its columns alone, fires only rules that it declares, gives the figure that
    decided, and says the same of a candidate wherever it stands, in a row or in a matrix. Its evidence has the names
    that it announces and is the same for any block of anchors. Its text makes it again.

    Args:
        step: the filter to check.
        context: where to try it; if not given, a small world with texts, vectors and every relation, and one with
            labels, as far as the filter takes them.
        tolerance: how far the evidence of a model may differ between blocks.
    """
    expect_round_trip(FILTERS, step)
    _check_rules(step)
    worlds = [] if step.needs_labels else [world()]
    worlds += [] if step.needs_pairs else [labelled_world()]
    for surroundings in [context] if context else worlds:
        _check_in(step, surroundings, tolerance)


def _check_in(step: Filter, context: Context, tolerance: float) -> None:
    rows = judged_pairs(context)
    evidence = _check_evidence(step, rows, context, tolerance if step.needs_model else 0.0)
    columns = judge_columns(rows, evidence)
    whole = _judged(step, columns, (len(rows),))
    expect(np.isin(whole.rule, range(-1, len(step.rules))).all(), step, "fire only rules that it declares")
    expect(not np.isnan(whole.figure[whole.rule >= 0]).any(), step, "give the figure that decided wherever it fires")
    _expect_equal(_judged(step, columns, whole.rule.shape), whole, step, "say the same each time")
    order = np.random.default_rng(0).permutation(len(rows))
    moved = _judged(step, {name: values[order] for name, values in columns.items()}, whole.rule.shape)
    _expect_equal(moved, Judgement(whole.rule[order], whole.figure[order]), step, "judge each candidate by itself")
    shape = (len(context.positives.anchors), len(context.positives.items))
    matrix = _judged(step, {name: values.reshape(shape) for name, values in columns.items()}, shape)
    flat = Judgement(matrix.rule.ravel(), matrix.figure.ravel())
    _expect_equal(flat, whole, step, "say the same of a matrix as of its rows")
    _judged(step, {name: values[:0] for name, values in columns.items()}, (0,))


def _check_rules(step: Filter) -> None:
    names = [rule.name for rule in step.rules]
    expect(names, step, "declare its rules")
    expect(len(set(names)) == len(names), step, "name its rules differently", names)
    verdicts = {rule.verdict for rule in step.rules}
    expect(verdicts <= {Verdict.DROP, Verdict.SUSPECT}, step, "drop or suspect", verdicts)


def _check_evidence(step: Filter, rows: Rows, context: Context, tolerance: float) -> dict[str, Array]:
    gather = step.gather(context)
    if gather is None:
        expect(not step.evidence, step, "gather the evidence that it announces", step.evidence)
        return {}
    before = Rows(rows.anchor.copy(), rows.item.copy(), {name: values.copy() for name, values in rows.columns.items()})
    found = dict(gather(rows))
    expect_same(rows, before, step, "leave the rows as they are when it gathers")
    expect(set(found) == set(step.evidence), step, f"gather the columns {sorted(step.evidence)}", sorted(found))
    for name, values in found.items():
        expect(np.shape(values) == (len(rows),), step, f"gather one '{name}' for each row", np.shape(values))
    gather = step.gather(context) or gather
    for block in np.array_split(np.arange(len(context.positives.anchors)), 5):
        here = np.isin(rows.anchor, block)
        for name, values in gather(rows.take(here)).items():
            close = np.allclose(values, found[name][here], rtol=0, atol=tolerance, equal_nan=True)
            expect(close, step, f"gather the same '{name}' for any block of anchors")
    return found


def _judged(step: Filter, columns: dict[str, Array], shape: tuple[int, ...]) -> Judgement:
    try:
        found = step.judge(columns)
    except ValueError as error:
        if "read-only" in str(error):
            expect(False, step, "leave its columns as they are", "an attempt to write to them")
        raise
    expect(np.shape(found.rule) == shape, step, f"give rules of shape {shape}", np.shape(found.rule))
    expect(np.shape(found.figure) == shape, step, f"give figures of shape {shape}", np.shape(found.figure))
    expect(found.rule.dtype.kind == "i", step, "give rules as signed whole numbers", found.rule.dtype)
    return found


def _expect_equal(one: Judgement, other: Judgement, step: Filter, rule: str) -> None:
    expect(np.array_equal(one.rule, other.rule), step, rule, "other rules")
    fired = one.rule >= 0
    expect(np.array_equal(one.figure[fired], other.figure[fired], equal_nan=True), step, rule, "other figures")
