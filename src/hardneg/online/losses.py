"""Losses that take what miners and guards give: triplets, and InfoNCE with mined negatives."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online._distances import Distance
from hardneg.online.miners import Indices
from hardneg.online.miners._base import triplets_of
from hardneg.online.relations import Relations
from hardneg.online.weights import contrast, hardness

__all__ = ["InfoNCE", "TripletLoss"]


class TripletLoss(nn.Module):  # type: ignore[misc]
    """``max(0, d(a, p) - d(a, n) + margin)`` of mined triplets, or the soft margin ``log(1 + exp(d(a, p) - d(a, n)))``.

    Schroff 2015 (arXiv 1503.03832) and Hermans 2017 (arXiv 1703.07737, section 2). It is called as losses of
    pytorch-metric-learning are. Of no triplets the loss is 0, with a gradient of 0.

    Args:
        margin: in units of the distance; None for the soft margin.
        distance: euclidean, squared, cosine or dot; the same as the miner's.
        normalize: whether vectors are scaled to length 1 first.
        mean: over ``all`` triplets (Hermans' batch-hard), or over the ``active`` ones, those with a loss.

    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], requires_grad=True)
    >>> one = torch.tensor([0]), torch.tensor([1]), torch.tensor([2])
    >>> loss = TripletLoss(margin=1.0, distance="squared")(x, torch.tensor([0, 0, 1]), one)
    >>> round(loss.item(), 4)
    0.0
    """

    def __init__(
        self, margin: float | None = 0.2, *, distance: Distance = "euclidean", normalize: bool = True,
        mean: Literal["all", "active"] = "all",
    ) -> None:  # fmt: skip
        super().__init__()
        require(margin is None or margin >= 0, "margin", "at least 0", margin)
        require(distance in ("euclidean", "squared", "cosine", "dot"), "distance",
                "euclidean, squared, cosine or dot", distance)  # fmt: skip
        require(mean in ("all", "active"), "mean", "all or active", mean)
        self.margin, self.distance, self.normalize, self.mean = margin, distance, normalize, mean

    def forward(
        self, embeddings: Tensor, labels: Any, indices: Indices, ref_emb: Tensor | None = None, ref_labels: Any = None
    ) -> Tensor:  # fmt: skip
        """The mean loss; ``labels`` and ``ref_labels`` are there for the convention alone, since triplets are given."""
        del labels, ref_labels
        a, p, n = triplets_of(indices)
        refs = embeddings if ref_emb is None else ref_emb
        if len(a) == 0:
            return (embeddings * 0).sum()
        d = self._distances(embeddings.float(), refs.float())
        gap = d[a, p] - d[a, n]
        if self.margin is None:
            return nn.functional.softplus(gap).mean()
        loss = nn.functional.relu(gap + self.margin)
        return loss.mean() if self.mean == "all" else loss.sum() / (loss > 0).sum().clamp(min=1)

    def _distances(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            if self.normalize or self.distance == "cosine":
                x, y = (nn.functional.normalize(one, dim=1) for one in (x, y))
            products = x @ y.T
            if self.distance in ("cosine", "dot"):
                return (1 if self.distance == "cosine" else 0) - products
            squares = ((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * products).clamp(min=0)
            if self.distance == "squared":
                return squares
            return squares.clamp(min=1e-12).sqrt()  # the root of 0 has no gradient


class InfoNCE(nn.Module):  # type: ignore[misc]
    """``-log(e(a, p) / (e(a, p) + Ng))`` with in-batch and mined negatives, without those that a guard holds back.

    ``e = exp(cosine / temperature)``; ``Ng`` adds up the negatives: all documents of other anchors, positives and mined
    ones, an anchor's own mined ones, and its synthetic ones. With ``tau_plus`` and ``beta`` it is debiased and
    reweighted (:func:`contrast`); with ``strength`` hard negatives count more (:func:`hardness`).

    Args:
        temperature: what cosines are divided by.
        strength: of the hardness.
        harder: which negatives it is for: ``in_batch``, ``mined`` (an anchor's own), or ``all``.
        tau_plus: see :func:`contrast`.
        beta: see :func:`contrast`.

    >>> loss = InfoNCE(temperature=1.0)(torch.eye(2), torch.eye(2), -torch.eye(2)[:, None])
    >>> round(loss.item(), 4) == round(torch.log(1 + (1 + torch.e**-1 + 1) / torch.tensor(torch.e)).item(), 4)
    True
    """

    def __init__(
        self, temperature: float = 0.05, *, strength: float = 0.0, harder: Literal["in_batch", "mined", "all"] = "all",
        tau_plus: float = 0.0, beta: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        require(temperature > 0, "temperature", "above 0", temperature)
        require(strength >= 0, "strength", "at least 0", strength)
        require(harder in ("in_batch", "mined", "all"), "harder", "in_batch, mined or all", harder)
        require(0 <= tau_plus < 1, "tau_plus", "from 0 to below 1", tau_plus)
        require(beta >= 0, "beta", "at least 0", beta)
        self.temperature, self.strength, self.harder = temperature, strength, harder
        self.tau_plus, self.beta = tau_plus, beta

    def forward(
        self, anchors: Tensor, positives: Tensor, negatives: Tensor | None = None, *,
        relation: Relations | None = None, synthetic: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """The mean over the anchors.

        Args:
            anchors: shape ``(B, D)``.
            positives: one each, shape ``(B, D)``.
            negatives: mined ones, as many each, shape ``(B, k, D)``.
            relation: of the anchors to :meth:`documents`, as ``judged.relation`` of a guard; by position if not given.
            synthetic: negatives of each anchor alone, as :class:`MoCHi` makes them, shape ``(B, s, D)``.
        """
        with torch.autocast(anchors.device.type, enabled=False):
            a = nn.functional.normalize(anchors.float(), dim=1)
            documents = nn.functional.normalize(self.documents(positives, negatives).float(), dim=1)
            count, device = len(a), anchors.device
            if relation is None:
                relation = Relations.from_pairs(count, len(documents), device=device)
            if relation.shape != (count, len(documents)):
                raise InputError(
                    f"The relation must be of {count} anchors to {len(documents)} documents. Got {relation.shape}.",
                    remedy="Judge the anchors against InfoNCE.documents(positives, negatives).",
                )
            cosines, allowed = a @ documents.T, relation.masks().negative
            positive = cosines.diagonal()
            added = self._harder(count, len(documents), device)
            scores = cosines + self.temperature * torch.where(added, hardness(cosines, self.strength), 0.0)
            if synthetic is not None:
                made = nn.functional.normalize(synthetic.float(), dim=2)
                own = torch.einsum("bd,bsd->bs", a, made)
                scores = torch.cat([scores, own], 1)
                allowed = torch.cat([allowed, made.detach().any(2)], 1)
            total = contrast(
                positive, scores, allowed, temperature=self.temperature, tau_plus=self.tau_plus, beta=self.beta
            )
            return nn.functional.softplus(total - positive / self.temperature).mean()

    @staticmethod
    def documents(positives: Tensor, negatives: Tensor | None = None) -> Tensor:
        """All documents in the order of a relation's columns: the positives, then the mined ones anchor by anchor."""
        return positives if negatives is None else torch.cat([positives, negatives.flatten(0, 1)])

    def _harder(self, anchors: int, documents: int, device: Any) -> Tensor:
        """For which negatives hardness counts, bool, shape ``(B, M)``."""
        each = documents // anchors - 1 if anchors else 0
        columns = torch.arange(documents, device=device)
        of = torch.where(columns < anchors, columns, (columns - anchors) // max(each, 1))
        own = of == torch.arange(anchors, device=device)[:, None]
        mined = own & (columns >= anchors)
        return {"in_batch": ~own, "mined": mined, "all": ~own | mined}[self.harder]
