"""What a mining does: its sources, filters and sampler, parsed and checked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hardneg.filters import FILTERS, Filter, Known
from hardneg.samplers import SAMPLERS, Plan, Sampler, plan
from hardneg.sources import SOURCES, Source, Uniform, Union

__all__ = ["DEFAULT_FILTERS", "DEFAULT_SAMPLER", "DEFAULT_SOURCES", "Steps"]

DEFAULT_SOURCES = ("neighbors(k=100)",)
DEFAULT_FILTERS = ("known", "duplicates(similarity=0.97)", "margin(relative=0.05)")
DEFAULT_SAMPLER = ("top(n=8)",)


@dataclass(frozen=True)
class Steps:
    """One source (several are united), filters in order, one chooser with its limits.

    >>> Steps.parse(filters="margin(relative=0.1)").texts()["filters"]
    ['known', 'margin(relative=0.1)']
    """

    source: Source
    filters: tuple[Filter, ...]
    plan: Plan

    @classmethod
    def parse(
        cls,
        sources: str | Source | Sequence[str | Source] = DEFAULT_SOURCES,
        filters: str | Filter | Sequence[str | Filter] = DEFAULT_FILTERS,
        sampler: str | Sampler | Sequence[str | Sampler] = DEFAULT_SAMPLER,
    ) -> Steps:
        """Make steps from texts or values. ``known`` comes first even where it is not named.

        Raises OptionError for a step that is unknown or wrong.
        """
        found = [SOURCES.make(one) for one in _listed(sources)]
        judges = [FILTERS.make(one) for one in _listed(filters)]
        if not any(isinstance(one, Known) for one in judges):
            judges.insert(0, Known())
        samplers = [SAMPLERS.make(one) for one in _listed(sampler)]
        return cls(found[0] if len(found) == 1 else Union(tuple(found)), tuple(judges), plan(samplers))

    @property
    def source_names(self) -> list[str]:
        """Names for provenance. Random items that fill up short anchors count as ``uniform``."""
        return list(dict.fromkeys((*self.source.names, Uniform.name)))

    @property
    def reference(self) -> str:
        """Which positive the column ``positive_score`` shows: the policy of the first filter that has one."""
        found = [str(getattr(one, "reference")) for one in self.filters if hasattr(one, "reference")]  # noqa: B009
        return found[0] if found else "min"

    def texts(self) -> dict[str, list[str]]:
        """The steps as text; ``Steps.parse(**steps.texts())`` gives them back."""
        plain = isinstance(self.source, Union) and self.source == Union(self.source.sources)
        sources = self.source.sources if isinstance(self.source, Union) and plain else (self.source,)
        return {
            "sources": [str(one) for one in sources],
            "filters": [str(one) for one in self.filters],
            "sampler": [str(one) for one in (self.plan.chooser, *self.plan.limits)],
        }


def _listed(steps: Any) -> Sequence[Any]:
    return steps if isinstance(steps, (list, tuple)) else [steps]
