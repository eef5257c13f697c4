"""The identities of labelled data: who looks like whom, which names may be wrong, how well a model tells them apart.

    examples = Examples.of(positives, vectors)
    found = survey(examples)
    write_survey(found, "voices")

:mod:`hardneg.verify` has the arithmetic, arrays in and arrays out; here it meets names, files and sessions.
"""

from hardneg.identities.examples import Examples
from hardneg.identities.figures import Figures
from hardneg.identities.files import write_survey
from hardneg.identities.same import same_names
from hardneg.identities.survey import Survey, survey

__all__ = ["Examples", "Figures", "Survey", "same_names", "survey", "write_survey"]
