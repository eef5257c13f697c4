"""Does the probe rank sets of negatives as full fine-tuning does? All weights of WordLlama's embedding are trained.

The embedding is a table of 32,000 tokens by 256 numbers; a text is the mean of its tokens. It learns by the probe's
loss, from the same batches, and is stopped by the same rule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import wordllama
from numpy.typing import NDArray
from rich.console import Console
from safetensors.numpy import load_file
from scipy.stats import kendalltau
from tokenizers import Tokenizer

from benchmarks.impact.data import Set
from benchmarks.impact.folds import folds_of
from hardneg import random
from hardneg.bootstrap import interval, redrawn
from hardneg.impact.exam import Marking
from hardneg.impact.examined import Trained
from hardneg.impact.exams import EXAMS
from hardneg.impact.kept import Kept
from hardneg.impact.lesson import Lesson, Scorer, Step
from hardneg.impact.probe import Probe
from hardneg.impact.stopping import Best
from hardneg.impact.work import Learner, Plan, trained
from hardneg.progress import for_console

__all__ = ["AllWeights", "measured"]

_FOLDER = Path(wordllama.__file__).parent
_DRAWS, _LENGTH, _FOLDS = 1000, 96, 2  # tokens of a text that are read; of the folds the first two
_SEEDS = 0x7A0
Tokens = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, eq=False)
class AllWeights:
    """Trains the whole table of an embedding, from the weights as they come.

    Args:
        rate: of Adam for the rows of a batch (torch's SparseAdam), falling to 0 along a half cosine.
        temperature: of the contrastive loss.
    """

    rate: float = 3e-3
    temperature: float = 0.05
    _read: dict[int, list[list[int]]] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """What decides its results besides the lesson."""
        return (
            f"all weights of WordLlama's embedding (rate={self.rate}, temperature={self.temperature}, early stopping)"
        )

    def train(self, lesson: Lesson) -> Scorer:
        """Learn a lesson from the weights as they come."""
        torch.manual_seed(lesson.seed)
        task, total = lesson.task, lesson.budget.total
        left, right = (self.tokens(side.texts.to_pylist()) for side in (lesson.anchors, lesson.items))  # type: ignore[union-attr]
        table = torch.nn.Parameter(torch.from_numpy(start()))
        adam = torch.optim.SparseAdam([table], lr=self.rate)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(adam, total)
        exam = EXAMS[task.kind](task, task.parts.validation, None)
        best = Best(exam, total, lambda weights: _scorer(weights, left, right))
        for number, step in enumerate(lesson.steps(), start=1):
            adam.zero_grad()
            self._loss(table, step, left, right).backward()
            adam.step()
            plan.step()
            best.see(number, table.detach().numpy())
        return _scorer(best.weights, left, right)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The first tokens of each text; read once."""
        mark = hash(tuple(texts))
        if mark not in self._read:
            tokenizer = Tokenizer.from_file(str(_FOLDER / "tokenizers" / "l2_supercat_tokenizer_config.json"))
            found = tokenizer.encode_batch(list(texts), add_special_tokens=False)
            self._read[mark] = [one.ids[:_LENGTH] or [0] for one in found]
        return self._read[mark]

    def _loss(self, table: torch.nn.Parameter, step: Step, left: list[list[int]], right: list[list[int]]) -> Any:
        b, n = step.negatives.shape
        some = [left[one] for one in step.anchors] + [right[one] for one in step.positives]
        z = _vectors(table, some + [right[one] for one in step.negatives.ravel()])
        a, p, negatives = z[:b], z[b : 2 * b], z[2 * b :].reshape(b, n, z.shape[1])
        among = (a @ p.T).masked_fill(torch.as_tensor(step.hidden), float("-inf"))
        logits = torch.cat([among, torch.einsum("bd,bnd->bn", a, negatives)], dim=1) / self.temperature
        return torch.nn.functional.cross_entropy(logits, torch.arange(b))


def start() -> NDArray[np.float32]:
    """The table as it comes."""
    (weights,) = load_file(str(_FOLDER / "weights" / "l2_supercat_256.safetensors")).values()
    return np.asarray(weights, np.float32)


def _vectors(table: torch.Tensor, texts: Sequence[list[int]]) -> torch.Tensor:
    flat = torch.tensor([token for text in texts for token in text])
    starts = torch.tensor(np.cumsum([0, *(len(text) for text in texts)])[:-1])
    found = torch.nn.functional.embedding_bag(flat, table, starts, mode="mean", sparse=table.requires_grad)
    return torch.nn.functional.normalize(found, dim=1)


def _scorer(weights: NDArray[np.float32], left: list[list[int]], right: list[list[int]]) -> Scorer:
    table, every = torch.from_numpy(weights), {}

    def scores(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        if 0 not in every:
            every[0] = _vectors(table, right).numpy()
        return np.asarray(_vectors(table, [left[row] for row in rows.tolist()]).numpy() @ every[0][others].T)

    return scores


def measured(data: Set, work: Path, seeds: int) -> None:
    """The arms of a set by either learner, on the same folds, and how far their orders agree; kept in DIR."""
    file, figures = work / f"full-{data.name}.json", {}
    if file.is_file():
        return
    learners: tuple[tuple[str, Learner], ...] = (("probe", Probe()), ("full", AllWeights()))
    for name, learner in learners:
        folds = folds_of(data, learner, _FOLDS)[0]
        plan = Plan(seeds=seeds, doses=())
        kept = Kept(work / f"{name}-{data.name}.partial", learner.key)
        figures[name] = drawn(*trained(folds, plan, kept, for_console(Console(width=150))), seeds)
    arms = [one for one in figures["probe"][0] if one != "untrained"]
    told = {**agreement(arms, figures, data.name, seeds), "before": before(data)}
    file.write_text(json.dumps(told, indent=1))
    print(file.read_text(), flush=True)


def before(data: Set) -> float:
    """The figure of the table as it comes, of texts that are as short as in training."""
    read, relations = AllWeights(), data.whole
    left, right = (read.tokens(side.texts.to_pylist()) for side in (relations.anchors, relations.items))  # type: ignore[union-attr]
    tasks = data.tasks()[:_FOLDS]
    exams = [EXAMS[task.kind](task, task.parts.test, None) for task in tasks]
    found = [exam.figures(exam.answers(_scorer(start(), left, right)))[0] for exam in exams]
    return float(np.average(found, weights=[len(exam.rows) for exam in exams]))


def drawn(exam: Marking, made: Trained, seeds: int) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """The figure of each arm, and with queries and seeds drawn anew, the same queries for all."""
    value = {name: float(np.mean([one.figures[0] for one in each])) for name, each in made.arms.items()}
    out: dict[str, NDArray[np.float64]] = {name: np.zeros(_DRAWS) for name in made.arms}
    for draw in range(_DRAWS):
        weights = redrawn(exam.count, draw, 0)[exam.subjects].astype(np.float64)
        chosen = (random.uniform(draw, np.array(_SEEDS), np.arange(seeds)) * seeds).astype(int)
        for name, each in made.arms.items():
            some = [exam.figures(one.test, weights)[0] for one in each]
            out[name][draw] = np.mean([some[one % len(some)] for one in chosen])
    return value, out


def agreement(arms: list[str], figures: dict[str, Any], name: str, seeds: int) -> dict[str, Any]:
    """Kendall's tau of the two orders of the arms, with its interval over the draws."""
    (value, draws), (other, others) = figures["probe"], figures["full"]
    found = [kendalltau([draws[one][at] for one in arms], [others[one][at] for one in arms])[0] for at in range(_DRAWS)]
    low, high = interval(np.array(found))
    tau = float(kendalltau([value[one] for one in arms], [other[one] for one in arms])[0])
    pairs = [
        {
            "arms": [one, two],
            **{
                learner: [figures[learner][0][one] - figures[learner][0][two],
                          *interval(figures[learner][1][one] - figures[learner][1][two])]
                for learner in ("probe", "full")
            },
        }
        for at, one in enumerate(arms) for two in arms[at + 1 :]
    ]  # fmt: skip
    return {
        "set": name, "seeds": seeds, "probe": value, "full": other, "tau": tau, "low": low, "high": high,
        "above": float(np.mean(np.array(found) > 0)), "pairs": pairs,
    }  # fmt: skip
