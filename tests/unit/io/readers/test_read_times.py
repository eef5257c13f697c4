from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.io.readers._times import BadTimes, span

finite = st.floats(min_value=0, max_value=1e6)


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (("a", None), "time_is_no_number"),
        ((None, "nan"), "time_is_no_number"),
        ((math.nan, 1.0), "time_is_no_number"),
        ((0.0, math.inf), "time_is_no_number"),
        (([1], None), "time_is_no_number"),
        ((True, 2), "time_is_no_number"),
        ((-0.5, 1.0), "negative_time"),
        ((None, -1), "negative_time"),
        ((0.5, None, -1), "negative_time"),
        ((2, 1), "end_before_start"),
        ((1, 1), "zero_length"),
        ((None, 0), "zero_length"),
        ((1.5, None, 0), "zero_length"),
    ],
)
def test_times_that_make_no_part(times: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(BadTimes, match=f"^{reason}$"):
        span(*times)


@given(start=st.none() | finite, end=st.none() | finite, duration=st.none() | finite, as_text=st.booleans())
def test_a_part_is_what_it_was_written_as(
    start: float | None, end: float | None, duration: float | None, *, as_text: bool
) -> None:
    written = [("" if one is None else repr(one)) if as_text else one for one in (start, end, duration)]
    last = end if end is not None or start is None or duration is None else start + duration
    if last is not None and last <= (start or 0):
        with pytest.raises(BadTimes):
            span(*written)
    else:
        assert span(*written) == (start, last)
