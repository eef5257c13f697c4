"""A detector on long recordings: what it hears, how often that is false, and the sounds that it is false about.

>>> import tempfile
>>> from pathlib import Path
>>> import numpy as np
>>> from hardneg.testing._sounds import saved, tone
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "a.wav").write_bytes(saved(np.concatenate([np.zeros(32_000), tone(440, 0.5), np.zeros(32_000)])))
>>> loudest = Detector(call=lambda windows: abs(windows).max(axis=1), keywords=("noise",))
>>> summary = listen(folder, loudest, Hearing(window=0.5, hop=0.25, on=0.4), out=folder / "heard")
>>> summary["keywords"]["noise"]["events"], round(summary["hours"] * 3600, 3)
(1, 4.5)
"""

from hardneg.listening.detectors import Detector
from hardneg.listening.given import Given
from hardneg.listening.hearing import Hearing
from hardneg.listening.opened import Known, Listened, opened
from hardneg.listening.truth import Occurrence, Truth
from hardneg.listening.work import listen

__all__ = ["Detector", "Given", "Hearing", "Known", "Listened", "Occurrence", "Truth", "listen", "opened"]
