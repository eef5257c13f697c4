"""One dial for how hard the negatives are, set by how many triplets still teach something.

The dial goes from 0 to 1 past four kinds of negatives; between two of them, some pairs have the one, some the other:

==== =========== ==================================================================================================
0    random      any negative, each as likely as the others (:class:`~hardneg.online.Uniform`)
1/3  tempered    drawn with odds exp(cosine / temperature), so that noisy labels are not all there is (the softmax of
                 :class:`~hardneg.online.Tempered`, which draws one an anchor; here one a positive pair)
2/3  semi-hard   the hardest below the positive, else the easiest (:class:`~hardneg.online.SemiHardNearest`)
1    hardest     the hardest (that of :class:`~hardneg.online.BatchHard`, for each positive pair)
==== =========== ==================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online._distances import Distance
from hardneg.online._draws import uniform
from hardneg.online.miners import Block, Indices, SemiHardNearest, Uniform
from hardneg.online.miners._families import PerPositive, first_min
from hardneg.online.miners.tempered import tempered
from hardneg.online.monitor import Alarm

__all__ = ["KINDS", "AtDial", "Thermostat"]

KINDS = ("random", "tempered", "semi-hard", "hardest")
_CHOICE, _KIND = 1, 2  # streams of random numbers; Uniform has 0


@dataclass(frozen=True)
class AtDial(PerPositive):
    """For each positive pair one negative, as hard as a dial says.

    Args:
        dial: from 0, random, to 1, hardest.
        temperature: of the tempered kind, in units of the distance.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.

    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.9, 0.4], [0.0, 1.0]])
    >>> labels = torch.tensor([0, 0, 1, 1])
    >>> [AtDial(dial)(x, labels)[2][0].item() for dial in (2 / 3, 1)]
    [3, 2]
    """

    name: ClassVar[str] = "at_dial"
    draws: ClassVar[bool] = True

    dial: float
    temperature: float = 0.05
    _: KW_ONLY
    distance: Distance = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.dial <= 1, "dial", "in [0, 1]", self.dial)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """Those of the two kinds that the dial stands between; which of them, is drawn for each pair."""
        at = self.dial * (len(KINDS) - 1)
        kind = min(int(at), len(KINDS) - 2)
        easier, harder = (self._of(one, block, columns) for one in (kind, kind + 1))
        return torch.where(block.uniform(_KIND, columns) < at - kind, harder, easier)

    def _of(self, kind: int, block: Block, columns: Tensor) -> Tensor:
        match KINDS[kind]:
            case "random":
                return Uniform().negatives(block, columns)
            case "tempered":
                return tempered(-block.to_negatives, self.temperature, block.uniform(_CHOICE, columns))
            case "semi-hard":
                return SemiHardNearest().negatives(block, columns)
            case _:
                return first_min(block.to_negatives)


class Thermostat:
    """A miner whose hardness follows the training: harder while most triplets are learnt, easier where it goes wrong.

    Call it as a miner of pytorch-metric-learning. It takes each pair of an anchor and a positive with one negative, as
    hard as the dial says. After each step tell it what share of the triplets was ``active``, that is, had
    a loss above 0: below ``low`` the dial goes up by ``step``, above ``high`` down. At an alarm of the
    :class:`~hardneg.online.Monitor` (collapse, over-hard, hubs, likely false negatives) the dial falls to a half of
    what it was and stays where it is, or lower, for ``rest`` steps. How many epochs there are does not matter.

    What is drawn depends on the seed, the step and the ids, or row numbers, of the pair alone.

    Args:
        start: where the dial is at first.
        low: active share below which negatives become harder.
        high: active share above which they become easier.
        step: how far the dial moves at a time.
        rest: after an alarm, for how many steps it does not go up.
        temperature: of the tempered kind, in units of the cosine; the lower, the harder.
        seed: what the draws depend on, with the step: a number and no generator, so that a state has all of it.
        chunk_mib: memory for distances and what is made of them, in MiB. It changes nothing else.

    >>> thermostat = Thermostat(step=0.25)
    >>> thermostat.update(0.1), thermostat.update(0.1), thermostat.update(0.9)
    (0.25, 0.5, 0.25)
    """

    def __init__(
        self, start: float = 0.0, *, low: float = 0.3, high: float = 0.6, step: float = 0.01, rest: int = 100,
        temperature: float = 0.05, seed: int = 0, chunk_mib: int = 32,
    ) -> None:  # fmt: skip
        require(0 <= start <= 1, "start", "in [0, 1]", start)
        require(0 <= low < high <= 1, "low", "in [0, 1] and below 'high'", f"{low} and {high}")
        require(0 < step <= 1, "step", "in (0, 1]", step)
        require(rest >= 0, "rest", "at least 0", rest)
        self.low, self.high, self.change, self.rest, self.seed = low, high, step, rest, seed
        self._miner = AtDial(start, temperature, chunk_mib=chunk_mib)
        self.dial, self.step, self._resting = float(start), 0, 0

    @property
    def kind(self) -> str:
        """What the dial stands nearest to: random, tempered, semi-hard or hardest."""
        return KINDS[round(self.dial * (len(KINDS) - 1))]

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def __call__(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None, *,
        ids: Tensor | None = None, ref_ids: Tensor | None = None,
    ) -> Indices:  # fmt: skip
        """Row numbers ``(a, p, n)``, int64: anchors in the batch, positives and negatives among the references.

        Args:
            embeddings: shape ``(B, D)``, compared by cosine.
            labels: as of a miner, relations too: :class:`~hardneg.online.Guarded` takes a thermostat for its miner.
            ref_emb: the references, shape ``(M, D)``; the batch itself if not given.
            ref_labels: theirs.
            ids: whole numbers that tell the examples apart, shape ``(B,)``: the draws do not depend on the order then,
                and what has the anchor's id is neither its positive nor its negative.
            ref_ids: those of the references.

        Raises InputError for NaN, infinity, or shapes that do not fit.
        """
        miner = replace(self._miner, dial=self.dial)
        batch = miner.batch(embeddings, labels, ref_emb, ref_labels)
        refs, device = len(batch.right), batch.left.device
        theirs = ids if ref_emb is None else ref_ids
        names = torch.arange(len(batch.left), device=device) if ids is None else ids.to(device)
        ref_names = torch.arange(refs, device=device) if theirs is None else theirs.to(device)
        known = ids is not None and theirs is not None
        relation = batch.relation.having(names, ref_names) if known else batch.relation
        order = ref_names.argsort(stable=True)  # so that a draw is the same in any order
        ordered = replace(
            batch, right=batch.right[order], relation=relation.in_order(order), seed=self._seed(device),
            ids=(names, ref_names[order]),
        )  # fmt: skip
        anchors, positives, negatives = miner.mined(ordered)
        return anchors, order[positives], order[negatives]

    def update(self, active: float, alarms: Iterable[Alarm] = ()) -> float:
        """Turn the dial after a step; gives where it stands.

        Args:
            active: the share of the triplets with a loss above 0; NaN, for a step without triplets, turns nothing.
            alarms: what the monitor said.
        """
        require(math.isnan(active) or 0 <= active <= 1, "active", "in [0, 1]", active)
        self.step += 1
        self._resting = max(0, self._resting - 1)
        if any(one.too_hard for one in alarms):
            self.dial, self._resting = self.dial / 2, self.rest
        elif active > self.high:
            self.dial = max(0.0, self.dial - self.change)
        elif active < self.low and not self._resting:
            self.dial = min(1.0, self.dial + self.change)
        return self.dial

    def figures(self) -> dict[str, float]:
        """What to log: ``thermostat/dial``, and ``thermostat/resting``, the steps of rest that are left."""
        return {"thermostat/dial": self.dial, "thermostat/resting": float(self._resting)}

    def state_dict(self) -> dict[str, Any]:
        """Where the dial stands and what the next draws depend on."""
        return {"dial": self.dial, "step": self.step, "resting": self._resting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state_dict``."""
        self.dial, self.step, self._resting = float(state["dial"]), int(state["step"]), int(state["resting"])

    def _seed(self, device: torch.device) -> Tensor:
        """What the draws of this step depend on."""
        share = uniform(torch.tensor(self.seed), 0, torch.tensor(self.step), torch.tensor(0))
        return (share * 2.0**52).long().to(device)
