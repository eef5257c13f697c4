"""Checks that third parties run on their own steps, as scikit-learn's estimator checks.

    from hardneg.testing import check_source

    def test_my_source():
        check_source(MySource(k=5))

Each check takes a step (or an engine), tries it on a small awkward world, and raises AssertionError with a sentence
that says what the step must do and what it did. The package's own steps pass the same checks.
"""

from hardneg.testing._world import world
from hardneg.testing.encoders import check_encoder
from hardneg.testing.engines import check_engine
from hardneg.testing.filters import check_filter
from hardneg.testing.models import check_model
from hardneg.testing.samplers import check_sampler
from hardneg.testing.sources import check_source

__all__ = ["check_encoder", "check_engine", "check_filter", "check_model", "check_sampler", "check_source", "world"]
