"""Choosing among the kept, one file a sampler. A new one: its file here, and its name in the list below."""

from hardneg.notation import Registry
from hardneg.samplers._base import Chooser, Limit, Sampler
from hardneg.samplers.band import Band
from hardneg.samplers.caps import Caps
from hardneg.samplers.quotas import Quotas
from hardneg.samplers.sampling import Plan, plan, sample, sample_parts, wishes
from hardneg.samplers.tempered import Tempered
from hardneg.samplers.top import Top
from hardneg.samplers.uniform import Uniform

__all__ = [
    "SAMPLERS",
    "Band",
    "Caps",
    "Chooser",
    "Limit",
    "Plan",
    "Quotas",
    "Sampler",
    "Tempered",
    "Top",
    "Uniform",
    "plan",
    "sample",
    "sample_parts",
    "wishes",
]

SAMPLERS: Registry[Sampler] = Registry("sampler", Sampler, [Band, Caps, Quotas, Tempered, Top, Uniform])
