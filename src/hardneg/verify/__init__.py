"""Verification: is this one and the same? Faces, voices and other identities; keywords in long recordings.

Arrays in, arrays out. Scores of trials become error rates with intervals; vectors of identities become look-alikes and
names to review; scores along a recording become events, matched and counted.
"""

from hardneg.verify.alarms import Rate, rate_per_hour, rate_ratio
from hardneg.verify.apart import Cohort, as_norm_apart
from hardneg.verify.bootstrap import Interval, identity_interval, identity_intervals
from hardneg.verify.cohorts import Spread, as_norm, cohort_spread, s_norm, t_norm, z_norm
from hardneg.verify.errors_at import AtFar, Cost, Det, at_far, at_fars, det, eer, min_dcf
from hardneg.verify.events import EventRule, Events, Listener, events_of
from hardneg.verify.false_discovery import conformal_p, q_values
from hardneg.verify.identities import Identities, Nearest, nearest_by_best_pair, nearest_identities, summed_up
from hardneg.verify.impostors import best_pairs, hardest_impostors, likely_persons
from hardneg.verify.matching import Matched, Operating, at_miss_rate, matched, thresholds_near
from hardneg.verify.merged import SameNames, halves_likeness, same_identity
from hardneg.verify.mixed import MixedNames, mixed_identities
from hardneg.verify.rates import Rates, error_rates, rates_of
from hardneg.verify.trials import Leak, Trials, all_trials, leaks, sampled_trials, split_apart

__all__ = [
    "AtFar",
    "Cohort",
    "Cost",
    "Det",
    "EventRule",
    "Events",
    "Identities",
    "Interval",
    "Leak",
    "Listener",
    "Matched",
    "MixedNames",
    "Nearest",
    "Operating",
    "Rate",
    "Rates",
    "SameNames",
    "Spread",
    "Trials",
    "all_trials",
    "as_norm",
    "as_norm_apart",
    "at_far",
    "at_fars",
    "at_miss_rate",
    "best_pairs",
    "cohort_spread",
    "conformal_p",
    "det",
    "eer",
    "error_rates",
    "events_of",
    "halves_likeness",
    "hardest_impostors",
    "identity_interval",
    "identity_intervals",
    "leaks",
    "likely_persons",
    "matched",
    "min_dcf",
    "mixed_identities",
    "nearest_by_best_pair",
    "nearest_identities",
    "q_values",
    "rate_per_hour",
    "rate_ratio",
    "rates_of",
    "s_norm",
    "same_identity",
    "sampled_trials",
    "split_apart",
    "summed_up",
    "t_norm",
    "thresholds_near",
    "z_norm",
]
