"""From when to when a part of a recording goes, as tables and lists say it, in seconds."""

from __future__ import annotations

import math

__all__ = ["BadTimes", "span"]


class BadTimes(ValueError):  # noqa: N818 - it is counted, not only raised
    """Times that make no part; the message is the reason, in one word."""


def span(start: object, end: object, duration: object = None) -> tuple[float | None, float | None]:
    """The start and the end of a part; none is the beginning or the end of the recording.

    A duration counts only beside a start: alone it says how long the whole recording is.

    Raises BadTimes for what is no number, and for times that are negative or go backwards.

    >>> span("1.5", None, 0.25), span("", ""), span(None, None, 3.2)
    ((1.5, 1.75), (None, None), (None, None))
    """
    first, last, lasting = _seconds(start), _seconds(end), _seconds(duration)
    if last is None and lasting is not None and first is not None:
        if lasting < 0:
            raise BadTimes("negative_time")
        last = first + lasting
    if (first or 0) < 0 or (last or 0) < 0:
        raise BadTimes("negative_time")
    if last is not None and last <= (first or 0):
        raise BadTimes("zero_length" if last == (first or 0) else "end_before_start")
    return first, last


def _seconds(value: object) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise BadTimes("time_is_no_number") from None
    if not math.isfinite(number) or isinstance(value, bool):
        raise BadTimes("time_is_no_number")
    return number + 0.0  # of -0.0 the text would be another
