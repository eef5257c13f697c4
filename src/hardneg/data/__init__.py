"""A run as PyTorch trains on it: triplets to load, and a sampler that shows hard examples more often.

    from hardneg.data import HardNegativeSampler, Triplets

    loader = DataLoader(Triplets(run, load=open_picture, n=4), batch_size=64, num_workers=4)
    loader = DataLoader(dataset, batch_size=64, sampler=HardNegativeSampler.of(run, ids, balanced=True))

This is the only place that needs torch at import, so ``import hardneg`` does not load it.
"""

from __future__ import annotations

from hardneg.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    raise MissingExtraError("torch", extra="gpu") from None

from hardneg.data.sampler import HardNegativeSampler
from hardneg.data.triplets import Triplet, Triplets

__all__ = ["HardNegativeSampler", "Triplet", "Triplets"]
