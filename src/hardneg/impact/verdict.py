"""The sentence a person can act on: helped, hurt, or cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from hardneg.impact.compare import Difference
from hardneg.impact.exam import Measure

if TYPE_CHECKING:
    from hardneg.impact.dose import Dose
    from hardneg.impact.leakage import Leak
    from hardneg.impact.result import ArmFigures
    from hardneg.impact.work import Plan

__all__ = ["Comparison", "Told", "told", "verdict"]

HELPED, HURT, UNKNOWN = "helped", "hurt", "cannot tell"
_LEVEL = 0.05  # of the test, as the intervals of 95%
_GAP, _FORGOT = 0.15, 0.02  # of train against held out; of right decisions on easy negatives


@dataclass(frozen=True)
class Comparison:
    """The arm in question with another one.

    Args:
        name: the arm in question.
        against: the other one.
        measure: the one that decides.
        differences: by measure; the intervals are those of each alone.
        p_holm: that of the measure that decides, corrected for all others that are compared with.
        verdict: helped, hurt or cannot tell.
        mcnemar: decisions that only one of them has right, and the exact p-value.
    """

    name: str
    against: str
    measure: str
    differences: Mapping[str, Difference]
    p_holm: float
    verdict: str
    mcnemar: Mapping[str, float]

    @property
    def decisive(self) -> Difference:
        """The difference on the measure that decides."""
        return self.differences[self.measure]

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "name": self.name, "against": self.against, "measure": self.measure, "verdict": self.verdict,
            "p_holm": self.p_holm, "mcnemar": dict(self.mcnemar),
            "differences": {name: one.about() for name, one in self.differences.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A verdict, its sentence, and what else a reader should know."""

    verdict: str
    sentence: str
    notes: tuple[str, ...]


def verdict(found: Difference, better: int, p: float) -> str:
    """Helped or hurt where the corrected p-value says so at 5%, else cannot tell.

    >>> verdict(Difference(0.1, 0.05, 0.15, 0.001, 0.07), better=1, p=0.003)
    'helped'
    """
    if isnan(p) or p >= _LEVEL or found.value == 0:
        return UNKNOWN
    return HELPED if found.value * better > 0 else HURT


def told(
    measures: Sequence[Measure], arms: Mapping[str, ArmFigures], comparisons: Sequence[Comparison], dose: Dose | None,
    leaks: Sequence[Leak], held_out: Mapping[str, Any], plan: Plan,
) -> Told:  # fmt: skip
    """The verdict against random negatives (the first other arm, without these), in words, and the notes."""
    main = next((one for one in comparisons if one.against == "random"), comparisons[0])
    notes = [
        *(_against(one, arms) for one in comparisons if one is not main),
        *_operating(measures, main, arms),
        *_watched(measures[0], main, arms),
        *_taught(measures[0], main, arms),
        *_dosed(dose, measures[0], held_out, plan),
        *(f"Leak: {one.count} of {one.of} held-out {held_out['units']}: {one.what} in training "
          f"({', '.join(one.examples[:3])})." for one in leaks),
        *([] if plan.seeds > 1 else ["One seed says nothing of what another would give. Use --seeds 5."]),
    ]  # fmt: skip
    return Told(main.verdict, _sentence(main, arms, held_out, plan), tuple(notes))


def _sentence(one: Comparison, arms: Mapping[str, ArmFigures], held_out: Mapping[str, Any], plan: Plan) -> str:
    began = {HELPED: "Mining helped", HURT: "Mining hurt", UNKNOWN: "Cannot tell whether mining helped"}[one.verdict]
    mine, theirs = arms[one.name].mean[0], arms[one.against].mean[0]
    asked = f"{held_out['test']:,} held-out {held_out['units']}"
    if held_out["subjects"] != held_out["test"]:
        asked += f" of {held_out['subjects']:,} groups"
    if held_out["folds"] > 1:
        asked += f" in {held_out['folds']} folds"
    text = (
        f"{began}: {one.measure} {mine:.3f}, with {arms[one.against].words} {theirs:.3f} "
        f"({_signed(one.decisive)}; {asked}, {plan.seeds} seeds, equal budget)."
    )
    if held_out["subjects"] < 2:
        return text + " All that is held out belongs together, and of one group nothing follows for others."
    if one.verdict == UNKNOWN and one.decisive.smallest == 0:
        return text + " The two answer alike."
    if one.verdict == UNKNOWN and not isnan(one.decisive.smallest):
        text += f" With so many a difference under {one.decisive.smallest:.3f} cannot be relied on to be seen."
        if one.decisive.low > 0 or one.decisive.high < 0:
            text += " The interval of this comparison alone leaves out 0; corrected for all arms it is no proof."
    return text


def _signed(one: Difference) -> str:
    return f"{one.value:+.3f}, 95% interval {one.low:+.3f} to {one.high:+.3f}"


def _against(one: Comparison, arms: Mapping[str, ArmFigures]) -> str:
    better = {HELPED: "better", HURT: "worse", UNKNOWN: "cannot tell"}[one.verdict]
    return f"Against {arms[one.against].words}: {better} ({_signed(one.decisive)})."


def _operating(measures: Sequence[Measure], one: Comparison, arms: Mapping[str, ArmFigures]) -> list[str]:
    """The false positives at the threshold set on validation data, told only with what became of recall."""
    place = {measure.name: at for at, measure in enumerate(measures)}
    if "FPR" not in place or isnan(one.differences["FPR"].value):
        return []
    (fpr, tpr), (old_fpr, old_tpr) = (
        [arms[name].mean[place[what]] for what in ("FPR", "TPR")] for name in (one.name, one.against)
    )
    fewer, guard = one.differences["FPR"], one.differences["TPR"]
    if guard.high < 0:
        end = "Recall fell, so fewer false positives would prove nothing."
    elif fewer.high < 0:
        end = "Fewer false positives, and recall did not fall that one could see."
    else:
        end = "No proof of fewer false positives."
    return [
        f"At the threshold where 95% of the validation targets are accepted: false positives {fpr:.2%} against "
        f"{old_fpr:.2%} ({fewer.low:+.2%} to {fewer.high:+.2%}), recall {tpr:.1%} against {old_tpr:.1%}. {end}"
    ]


def _watched(measure: Measure, one: Comparison, arms: Mapping[str, ArmFigures]) -> list[str]:
    """Overfitting, and what was forgotten of easy negatives."""
    mine, out = arms[one.name], []
    gap = measure.better * float(mine.train[0] - mine.mean[0])
    other = measure.better * float(arms[one.against].train[0] - arms[one.against].mean[0])
    if gap > max(_GAP, 1.5 * other):
        out.append(f"Overfitting: {measure.name} {mine.train[0]:.3f} in training, {mine.mean[0]:.3f} held out.")
    easy = float(mine.grades[1, 0] - arms[one.against].grades[1, 0])
    if easy < -_FORGOT:
        out.append(f"Forgetting: {-easy:.1%} fewer right decisions on easy negatives. Mix in random ones.")
    return out


def _taught(measure: Measure, one: Comparison, arms: Mapping[str, ArmFigures]) -> list[str]:
    """A model that learns nothing of use cannot tell which negatives teach more."""
    before, after = arms.get("untrained"), arms[one.against]
    if before is None or measure.better * after.mean[0] > measure.better * before.mean[0]:
        return []
    return [
        f"Training with {after.words} is no better than none at all ({measure.name} {after.mean[0]:.3f}, untrained "
        f"{before.mean[0]:.3f}): what this model learns does not carry over, so it can hardly tell negatives apart. "
        "Try more data, --model or --train."
    ]


def _dosed(dose: Dose | None, measure: Measure, held_out: Mapping[str, Any], plan: Plan) -> list[str]:
    if dose is None:
        lacking = "No dose curve: it takes an arm to start from, and validation data that give a figure."
        return [lacking] if any(0 < one < 1 for one in plan.doses) else []
    figures = ", ".join(f"{one.value:.3f} at {one.share:.0%}" for one in dose.points)
    asked = f"{held_out['validation']:,} validation {held_out['units']}"
    return [
        f"Dose: on {asked} a share of {dose.best:.0%} mined negatives is as good as any ({measure.name} {figures})."
    ]
