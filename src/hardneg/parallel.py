"""Work on several threads. What comes out never depends on how many there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["each", "pool", "spare", "threads"]

T = TypeVar("T")
R = TypeVar("R")

_here = threading.local()


def threads() -> int:
    """How many threads are worth starting: the processors this process may use, at most ``OMP_NUM_THREADS``.

    >>> threads() >= 1
    True
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable, max(1, int(wanted))) if wanted.isdecimal() else usable


def each(function: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
    """``[function(one) for one in tasks]``, on several threads where there are several processors and tasks.

    The results stand in the order of the tasks; the first exception in that order is raised. A task that calls
    ``each`` itself gets a plain loop, so that threads do not multiply.

    >>> each(abs, [-2, 3])
    [2, 3]
    """
    workers = min(spare(), len(tasks))
    if workers <= 1:
        return [function(one) for one in tasks]
    with ThreadPoolExecutor(workers, initializer=_begin) as workshop:
        return list(workshop.map(function, tasks))


def spare() -> int:
    """How many threads :func:`each` would use for many tasks: one where it is called by one of its own."""
    return 1 if getattr(_here, "working", False) else threads()


def pool() -> ThreadPoolExecutor:
    """Threads for many tasks one after another; a task that calls ``each`` gets a plain loop."""
    return ThreadPoolExecutor(threads(), initializer=_begin)


def _begin() -> None:
    _here.working = True
