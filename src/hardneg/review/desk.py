"""The candidates of a run as numbered rows with columns that can be sorted and filtered by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hardneg.collection import Id
from hardneg.contents import content_keys
from hardneg.decisions import Answer, Decision, now
from hardneg.ragged import IntArray
from hardneg.report.facts import Facts, State
from hardneg.run import Run
from hardneg.table import Array, Relation

__all__ = ["Desk"]

_SEEN = {
    "anchor", "item", "score", "rank", "source", "source_score", "positive_score", "verdict", "reason", "evidence",
    "grade", "relation", "copy_of", "nearest_positive",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Desk:
    """What lies before a reviewer. A candidate's number is its row over all parts of the run.

    ``evidence`` holds the figures that filters gathered, by their names, NaN where a part has none.
    """

    facts: Facts
    evidence: Mapping[str, Array]
    relation: Array

    @classmethod
    def of(cls, run: Run) -> Desk:
        """Read a run's candidates, part by part."""
        names = dict.fromkeys(name for part in run.manifest["parts"] for name in _figures(run, part["file"]))
        columns: dict[str, list[Array]] = {name: [] for name in names}
        relation = []
        for part in run.parts():
            for name, found in columns.items():
                there = name in part.column_names
                found.append(_floats(part.column(name)) if there else np.full(part.num_rows, np.nan, np.float32))
            relation.append(part.column("relation").to_numpy())
        joined = {name: np.concatenate(found) for name, found in columns.items()}
        return cls(Facts.gather(run), joined, np.concatenate(relation) if relation else np.zeros(0, np.uint8))

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def run(self) -> Run:
        """The run that is reviewed."""
        return self.facts.run

    @cached_property
    def columns(self) -> dict[str, Array]:
        """Everything with an order, by the name that a reader sees."""
        facts = self.facts
        return {
            "score": facts.score,
            "rank": facts.rank,
            "positive_score": facts.positive_score,
            "gap": facts.score - facts.positive_score,
            "evidence": facts.evidence,
            "mined": self.mined[facts.item],
            **self.evidence,
        }

    @cached_property
    def mined(self) -> IntArray:
        """How often each item was sampled."""
        sampled = self.facts.item[self.facts.state == State.SAMPLED]
        return np.bincount(sampled, minlength=len(self.run.items))

    @cached_property
    def open(self) -> Array:
        """Which candidates nobody has judged yet: neither the data nor an earlier decision."""
        return ~np.isin(self.relation, (Relation.NEGATIVE, Relation.POSITIVE, Relation.IGNORED, Relation.SELF))

    def rows_of(self, anchors: list[Id], items: list[Id]) -> IntArray:
        """The number of each pair, -1 for one that is no candidate. Text ``"7"`` finds the number 7."""
        if not anchors:
            return np.zeros(0, np.int64)
        at = self.run.anchors.positions(anchors), self.run.items.positions(items)
        wanted = at[0] * len(self.run.items) + at[1]
        order, keys = self._sorted
        if not len(keys):
            return np.full(len(wanted), -1)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found = (keys[place] == wanted) & (at[0] >= 0) & (at[1] >= 0)
        return np.where(found, order[place], -1)

    @cached_property
    def _sorted(self) -> tuple[IntArray, IntArray]:
        keys = self.facts.anchor * max(1, len(self.run.items)) + self.facts.item
        order = np.argsort(keys, kind="stable")
        return order, keys[order]

    def decision(
        self, row: int, answer: Answer, who: str, drawn: tuple[str, float] | None = None, note: str | None = None
    ) -> Decision:
        """A decision on a candidate, with all that the run says of it.

        ``drawn`` is its stratum and its weight where it was drawn for an audit.
        """
        facts = self.facts
        anchor, item = int(facts.anchor[row]), int(facts.item[row])
        run, place = self.run, np.array
        return Decision(
            run.anchors.ids[anchor].as_py(),
            run.items.ids[item].as_py(),
            answer,
            who,
            now(),
            content_keys(run.anchors, place([anchor]))[0],
            content_keys(run.items, place([item]))[0],
            _finite(facts.score[row]),
            None if facts.rank[row] < 0 else int(facts.rank[row]),
            facts.source.names[facts.source.codes[row]],
            ("keep", "suspect", "drop", "keep")[facts.state[row]],
            facts.reason.names[facts.reason.codes[row]] or None,
            model=run.manifest.get("encoder"),
            stratum=None if drawn is None else drawn[0],
            weight=None if drawn is None else drawn[1],
            note=note or None,
        )


def _figures(run: Run, file: str) -> list[str]:
    """The columns of a part that are figures and not among those every candidate has."""
    numeric = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
    return [
        one.name
        for one in pq.read_schema(run.path / file)
        if one.name not in _SEEN and any(test(one.type) for test in numeric)
    ]


def _floats(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.cast(pa.float32(), safe=False).to_numpy(), np.float32)


def _finite(value: float) -> float | None:
    return float(f"{value:.7g}") if np.isfinite(value) else None
