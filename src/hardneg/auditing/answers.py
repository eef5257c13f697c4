"""What is known of the mined pairs: from the run itself, from judged samples, a ledger of decisions, from qrels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hardneg.auditing.population import Coded, Population
from hardneg.decisions import ANSWERS, FILE, Decision, decisions_file, read_decisions, settled
from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions
from hardneg.io.readers._qrels import read_qrels
from hardneg.io.sheets import read_sheet
from hardneg.ragged import BoolArray, IntArray
from hardneg.run import Run

__all__ = ["Answers", "Judgements", "answers_of", "drawn_by", "read_sample"]

Judgements = str | Path | Sequence[Decision]

_TRUTH = {"positive": 1, "negative": 0}
_WHO = "sample"
_PLACES = 1e-6  # how far a weight may be from its value for having been written with ten digits


@dataclass(eq=False)
class Answers:
    """For each mined pair: 1 (a positive, so a false negative), 0 (a negative) or -1 (nobody said).

    ``settled`` pairs are known without having been drawn: they are themselves and stand for no other. ``counts`` says
    what was given and not used.
    """

    truth: IntArray
    settled: BoolArray
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def drawn(self) -> int:
        """How many drawn pairs have an answer."""
        return int(((self.truth >= 0) & ~self.settled).sum())


def answers_of(
    population: Population, strata: Coded, judgements: Iterable[Judgements] = (), qrels: Iterable[str | Path] = ()
) -> Answers:
    """All that is known of the mined pairs.

    Args:
        population: the mined pairs.
        strata: those that samples were drawn by.
        judgements: samples that were judged (CSV), ledgers (``decisions.jsonl``, or the folder of a run), or
            decisions. The run's own ledger takes part where there is one.
        qrels: files of judgements, BEIR or TREC; whatever they say of a mined pair is so.

    Raises InputError for a file that cannot be used, with the line.
    """
    answers = Answers(np.where(population.known, 0, -1), population.known.copy())
    decisions: list[Decision] = []
    own = population.run.path / FILE
    for source in [*([own] if own.is_file() else []), *judgements]:
        decisions += _decisions(source, population, strata)
    _settle(decisions, population, strata, answers)
    for path in qrels:
        _add_qrels(Path(path), population, answers)
    return answers


def drawn_by(run: Run, judgements: Iterable[Judgements]) -> str:
    """What samples were drawn by, going by the names of their strata: ``score`` or ``teacher``."""
    for source in [*judgements, *([run.path] if (run.path / FILE).is_file() else [])]:
        for stratum in _strata(source):
            return "teacher" if stratum.startswith("teacher") else "score"
    return "score"


def _strata(source: Judgements) -> list[str]:
    """The first strata that are named, if any."""
    if isinstance(source, (str, Path)) and not Path(source).is_dir() and Path(source).suffix != ".jsonl":
        path = Path(source)
        rows = _rows(path) if path.is_file() else []
        return [row["stratum"] for _, row in rows if row.get("stratum")][:1]
    decisions = source if not isinstance(source, (str, Path)) else read_decisions(decisions_file(source))
    return [one.stratum for one in decisions if one.stratum][:1]


def _decisions(source: Judgements, population: Population, strata: Coded) -> list[Decision]:
    if not isinstance(source, (str, Path)):
        return list(source)
    path = Path(source)
    if path.is_dir():
        return read_decisions(path / FILE)
    if not path.is_file():
        raise InputError("There is no such file.", path=path, remedy="Draw a sample with: hardneg audit RUN --draw 40")
    return read_decisions(path) if path.suffix == ".jsonl" else read_sample(path, population, strata)


def _settle(decisions: Sequence[Decision], population: Population, strata: Coded, answers: Answers) -> None:
    # Ids as text, so that the number 7 and the text "7" are one pair.
    found = settled([replace(one, anchor=str(one.anchor), item=str(one.item)) for one in decisions])
    at = population.find([str(pair[0]) for pair in found], [str(pair[1]) for pair in found])
    for row, one in zip(at.tolist(), found.values(), strict=True):
        if row < 0:
            answers.counts["of pairs that were not mined"] += 1
        elif one.answer not in _TRUTH:
            answers.counts["disputed" if one.disputed else "skipped or ignored"] += 1
        elif answers.settled[row]:
            answers.counts["of pairs that were known before"] += 1
        else:
            answers.truth[row] = _TRUTH[one.answer]
            answers.settled[row] = not _is_drawn(one.stratum, one.weight, strata, row)
            if answers.settled[row]:
                answers.counts["chosen by hand: each counts for itself alone"] += 1


def _is_drawn(stratum: str | None, weight: float | None, strata: Coded, row: int) -> bool:
    """Whether a decision belongs to a sample of these strata; one of another sample counts as chosen by hand."""
    code = int(strata.codes[row])
    return weight is not None and code >= 0 and strata.names[code] == stratum and _is_weight(weight, strata, code)


def _is_weight(weight: float, strata: Coded, code: int) -> bool:
    """Whether a draw from this stratum can have given this weight: its size by a whole number."""
    size = int((strata.codes == code).sum())
    drawn = size / weight if weight > 0 else 0.0
    return 0.5 < drawn <= size * (1 + _PLACES) and abs(drawn - round(drawn)) <= _PLACES * max(1.0, drawn)


def read_sample(path: Path, population: Population, strata: Coded) -> list[Decision]:
    """Read a judged sample back. Rows without an answer are left out; those without a stratum were added by hand.

    Raises InputError for missing columns, an answer of another kind, a pair twice, pairs that were not mined, and
    strata or weights that are not those of this run.
    """
    rows = _rows(path)
    names = sorted(set(strata.names))
    first: dict[tuple[str, str], int] = {}
    made = []
    for line, row in rows:
        pair = row["anchor"], row["item"]
        if not all(pair):
            raise InputError("The anchor or the item is missing.", path=path, line=line, remedy="Take the line out.")
        if pair in first:
            raise InputError(
                f"The pair {pair[0]}, {pair[1]} is there already, in line {first[pair]}.",
                path=path, line=line, remedy="Keep one of the two.",
            )  # fmt: skip
        first[pair] = line
        answer = row["answer"].lower()
        if not answer:
            continue
        if answer not in ANSWERS:
            raise InputError(
                f"The answer must be one of {', '.join(ANSWERS)}, or empty. Got {row['answer'][:40]!r}.",
                path=path, line=line, remedy="A positive is a right answer to the anchor: a false negative.",
            )  # fmt: skip
        stratum, weight = _drawn(row, path, line, names)
        made.append(Decision(*pair, answer, _WHO, "", stratum=stratum, weight=weight, line=line))
    _check(made, path, population, strata)
    return made


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    return list(read_sheet(path, "Judge a file that 'hardneg audit RUN --draw 40' wrote, and keep its columns."))


def _drawn(row: Mapping[str, str], path: Path, line: int, names: list[str]) -> tuple[str | None, float | None]:
    stratum, weight = (row.get(name, "") for name in ("stratum", "weight"))
    if not stratum and not weight:
        return None, None
    if stratum not in names:
        remedy = (
            f"Its strata are {', '.join(names)}. Was the sample drawn with a teacher? Give it again with --teacher."
        )
        raise InputError(f"The stratum '{stratum[:40]}' is none of this audit.", path=path, line=line, remedy=remedy)
    try:
        return stratum, float(weight)
    except ValueError:
        raise InputError(
            f"The weight must be a number. Got {weight[:40]!r}.",
            path=path,
            line=line,
            remedy="Keep it as it was written.",
        ) from None


def _check(made: Sequence[Decision], path: Path, population: Population, strata: Coded) -> None:
    """Weights and strata are not for the judge to change: with others an estimate would be wrong without a sign."""
    at = population.find([str(one.anchor) for one in made], [str(one.item) for one in made])
    if made and (at < 0).all():
        raise InputError(
            "None of these pairs was mined by this run.",
            path=path,
            remedy="Is it the sample of another run? Draw anew.",
        )
    for row, one in zip(at.tolist(), made, strict=True):
        if row >= 0 and one.weight is not None and not _is_drawn(one.stratum, one.weight, strata, row):
            raise InputError(
                f"The pair {one.anchor}, {one.item} is not of stratum '{one.stratum}' with the weight {one.weight:g} "
                "in this run.",
                path=path, line=one.line,
                remedy="Restore these columns as they were written; of a run that was mined anew, draw anew.",
            )  # fmt: skip


def _add_qrels(path: Path, population: Population, answers: Answers) -> None:
    if not path.is_file():
        raise InputError("There is no such file.", path=path, remedy="Give a file of judgements, BEIR or TREC.")
    _, table = read_qrels(path, ReadOptions(), set())
    grade = table["grade"].to_numpy()
    at = population.find(*([str(one) for one in table[name].to_pylist()] for name in ("anchor", "item")))
    use = (at >= 0) & ~np.isnan(grade)
    answers.truth[at[use]] = grade[use] > 0
    answers.settled[at[use]] = True
