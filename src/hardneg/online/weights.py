"""What a negative counts: more where it is hard, less for the positives that hide among the negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from hardneg.notation import require

__all__ = ["contrast", "hardness"]


def hardness(similarities: Tensor, strength: float) -> Tensor:
    """What is added to the logits of negatives: ``strength * s``, as a number without gradient, shape as given.

    A negative then weighs ``exp(strength * s)`` in the softmax (Lan 2025, arXiv 2503.04812, equation 5, with a
    strength of 9; EmbeddingGemma, arXiv 2509.20354, with 5). Logits are ``s / temperature``, so the strength is not
    divided by the temperature. sentence-transformers calls it ``hardness_strength``.

    >>> hardness(torch.tensor([0.5, 1.0]), 5.0).tolist()
    [2.5, 5.0]
    """
    require(strength >= 0, "strength", "at least 0", strength)
    return strength * similarities.detach()


def contrast(
    positive: Tensor, negatives: Tensor, allowed: Tensor, *, temperature: float, tau_plus: float = 0.0,
    beta: float = 0.0,
) -> Tensor:  # fmt: skip
    """The logarithm of what all negatives of an anchor add up to in a contrastive loss, shape ``(B,)``.

    With ``e(s) = exp(s / temperature)``, ``N`` allowed negatives and weights ``w = exp(beta s / temperature)``::

        Ng = max((sum w e(s) / mean w - tau_plus N e(s_positive)) / (1 - tau_plus), N exp(-1 / temperature))

    ``tau_plus`` is how likely a negative is a hidden positive (Chuang 2020, arXiv 2007.00224, equation 8); ``beta`` how
    much more hard ones count (Robinson 2021, arXiv 2010.04592, equation 4). With 0 and 0 it is the sum of InfoNCE. The
    gradient goes through the weights too, as in the authors' code. The bound is the least that ``Ng`` can be for
    vectors of length 1, and holds only where ``tau_plus`` is above 0. An anchor without negatives gets -inf.

    Args:
        positive: similarity of each anchor to its positive, shape ``(B,)``.
        negatives: similarities to all references, shape ``(B, M)``.
        allowed: which of them are negatives, bool, shape ``(B, M)``; see :meth:`Relations.masks`.
        temperature: what similarities are divided by.
        tau_plus: from 0 to below 1.
        beta: 0 or more.

    >>> s = torch.tensor([[0.5, -0.5]])
    >>> contrast(torch.tensor([1.0]), s, torch.tensor([[True, True]]), temperature=1.0).exp()
    tensor([2.2553])
    """
    require(temperature > 0, "temperature", "above 0", temperature)
    require(0 <= tau_plus < 1, "tau_plus", "from 0 to below 1", tau_plus)
    require(beta >= 0, "beta", "at least 0", beta)
    many = allowed.sum(1)
    logits = negatives / temperature
    log_many = many.clamp(min=1).to(logits.dtype).log()
    found = _logsumexp((1 + beta) * logits, allowed)
    if beta > 0:
        found = found - _logsumexp(beta * logits, allowed) + log_many
    if tau_plus > 0:
        hidden = tau_plus * (positive / temperature + log_many - found).clamp(max=80).exp()
        least = log_many - 1 / temperature
        found = found + torch.log(((1 - hidden) / (1 - tau_plus)).clamp(min=torch.finfo(found.dtype).tiny))
        found = torch.maximum(found, least)
    return torch.where(many > 0, found, -torch.inf)


def _logsumexp(logits: Tensor, allowed: Tensor) -> Tensor:
    """Over the allowed of each row; 0 for a row without any, so that no gradient is NaN."""
    none = ~allowed.any(1, keepdim=True)
    return torch.logsumexp(torch.where(allowed, logits, torch.where(none, 0.0, -torch.inf)), dim=1)
