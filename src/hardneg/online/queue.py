"""A memory of embeddings of past batches: more negatives than a batch holds, for next to no cost.

Cross-batch memory (Wang 2020, arXiv 1912.06798) keeps what the model itself gave a few steps ago; MoCo (He 2020, arXiv
1911.05722) keeps what a slowly moving copy of it gave (``torch.optim.swa_utils.AveragedModel`` is one). Both are the
same queue; only what is put in differs.
"""

from __future__ import annotations

import torch
from torch import nn

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online.distributed import gather

__all__ = ["MemoryQueue"]

_NOBODY = -1  # the id of a row that came without one


class MemoryQueue(nn.Module):  # type: ignore[misc]
    """The last ``size`` embeddings with their labels and ids, the same in every process.

    Call :meth:`enqueue` once a step, in all processes: rows come in the order of the ranks, batches may be of
    any size. Then ``miner(embeddings, labels, *queue.reference())`` mines in the memory, in the calling convention of
    pytorch-metric-learning. Put the batch in first, as XBM does, and it is among what is mined.

    An entry of the same id is the anchor itself, some steps ago: :meth:`own` marks these, :meth:`without_own` takes
    them out of what another library mined.

    The ``state_dict`` holds all there is, the place to write next included, so a resumed run goes on bit for bit.
    Rows with NaN or infinity are not kept; ``skipped`` counts them.

    Args:
        size: how many embeddings are kept.
        dim: their width.
        warm_up: how many steps the memory only fills: what a model says in its first steps is soon out of date.

    >>> queue = MemoryQueue(size=3, dim=2)
    >>> queue.enqueue(torch.eye(2), torch.tensor([0, 1]), ids=torch.tensor([7, 8]))
    >>> queue.enqueue(torch.ones(2, 2), torch.tensor([2, 2]), ids=torch.tensor([9, 7]))
    >>> queue.reference()[1].tolist(), queue.own(torch.tensor([7])).tolist()
    ([2, 1, 2], [[True, False, False]])
    """

    def __init__(self, size: int, dim: int, *, warm_up: int = 0) -> None:
        require(size >= 1, "size", "at least 1", size)
        require(dim >= 1, "dim", "at least 1", dim)
        require(warm_up >= 0, "warm_up", "at least 0", warm_up)
        super().__init__()
        self.size, self.dim, self.warm_up = size, dim, warm_up
        self.register_buffer("embeddings", torch.zeros(size, dim))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("ids", torch.full((size,), _NOBODY))
        self.register_buffer("written", torch.zeros(size, dtype=torch.int64))  # in which step
        for name in ("position", "filled", "step", "skipped"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        return int(self.filled)

    @property
    def ready(self) -> bool:
        """Whether the memory is in use: the warm-up is over and something is there."""
        return int(self.step) > self.warm_up and len(self) > 0

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def enqueue(self, embeddings: torch.Tensor, labels: torch.Tensor, ids: torch.Tensor | None = None) -> None:
        """Put in the batches of all processes, in the place of the oldest. Counts as a step, also without a row.

        Args:
            embeddings: shape ``(n, dim)``; kept without gradients.
            labels: whole numbers, shape ``(n,)``.
            ids: which example each row is, shape ``(n,)``, at least 0.

        Raises InputError for another shape.
        """
        if embeddings.shape[1:] != (self.dim,):
            raise InputError(f"The memory holds embeddings of shape (n, {self.dim}). Got {tuple(embeddings.shape)}.")
        ids = torch.full_like(labels, _NOBODY) if ids is None else ids
        if labels.ndim != 1 or labels.shape != ids.shape:
            raise InputError(f"The labels and ids must have shape (n,). Got {tuple(labels.shape)}, {tuple(ids.shape)}.")
        joined = gather(embeddings.detach(), labels, ids)
        assert joined.labels is not None  # noqa: S101 - both were given
        assert joined.ids is not None  # noqa: S101
        finite = joined.embeddings.isfinite().all(dim=1)
        self.skipped += (~finite).sum()
        rows = finite.nonzero()[:, 0][-self.size :]
        where = (self.position + torch.arange(len(rows), device=rows.device)) % self.size
        self.embeddings[where] = joined.embeddings[rows].to(self.embeddings.dtype)
        self.labels[where], self.ids[where] = joined.labels[rows].to(torch.int64), joined.ids[rows].to(torch.int64)
        self.written[where] = self.step
        self.position.copy_((self.position + len(rows)) % self.size)
        self.filled.copy_((self.filled + len(rows)).clamp(max=self.size))
        self.step += 1

    def reference(self) -> tuple[torch.Tensor, torch.Tensor] | tuple[None, None]:
        """The embeddings and labels to mine in; ``(None, None)`` during the warm-up, which means the batch itself.

        They are copies: what is enqueued before the backward pass does not disturb it.
        """
        if not self.ready:
            return None, None
        return self.embeddings[: len(self)].clone(), self.labels[: len(self)].clone()

    @property
    def reference_ids(self) -> torch.Tensor:
        """The ids of the entries, -1 for none: ``relations.having(ids, queue.reference_ids)`` leaves out one's own."""
        return self.ids[: len(self)].clone()

    def own(self, ids: torch.Tensor) -> torch.Tensor:
        """Which entries are the anchors themselves, shape ``(len(ids), entries)``; one without an id is nobody's."""
        entries = self.ids[: len(self)]
        return (ids[:, None] == entries) & (entries != _NOBODY)

    def without_own(self, tuples: tuple[torch.Tensor, ...], ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Mined ``(a, p, n)`` or ``(a1, p, a2, n)`` without the pairs of an anchor with itself in the memory.

        Args:
            tuples: row numbers of anchors in the batch, and of positives and negatives in the memory.
            ids: those of the batch.

        >>> queue = MemoryQueue(2, 1)
        >>> queue.enqueue(torch.ones(2, 1), torch.tensor([0, 1]), ids=torch.tensor([5, 6]))
        >>> one, zero = torch.ones(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
        >>> [len(part) for part in queue.without_own((zero, zero, one), ids=torch.tensor([5]))]
        [0, 0, 0]
        """
        own = self.own(ids)
        if len(tuples) == 3:
            anchor, positive, negative = tuples
            keep = ~(own[anchor, positive] | own[anchor, negative])
            return anchor[keep], positive[keep], negative[keep]
        left, positive, right, negative = tuples
        first, second = ~own[left, positive], ~own[right, negative]
        return left[first], positive[first], right[second], negative[second]

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def staleness(self, embeddings: torch.Tensor | None = None, ids: torch.Tensor | None = None) -> dict[str, float]:
        """How old the memory is: the figures to log.

        Keys: ``queue/fill`` (share of the places), ``queue/age_mean`` and ``queue/age_max`` in steps, where what came
        last is of age 0, ``queue/skipped`` rows so far, and with ``embeddings`` of examples encoded anew, and their
        ``ids``, ``queue/drift``: the mean of 1 - cosine between what is kept of them and what they are now.
        """
        ages = (self.step - 1 - self.written[: len(self)]).double()
        figures = {"queue/fill": len(self) / self.size, "queue/skipped": float(self.skipped)}
        if len(self):
            figures |= {"queue/age_mean": float(ages.mean()), "queue/age_max": float(ages.max())}
        if embeddings is not None and ids is not None:
            fresh, entry = self.own(ids).nonzero(as_tuple=True)
            cosine = nn.functional.cosine_similarity(embeddings[fresh].float(), self.embeddings[entry], dim=1)
            if len(cosine):
                figures["queue/drift"] = float((1 - cosine).mean())
        return figures
