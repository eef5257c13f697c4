from __future__ import annotations

import threading
import time

import pytest

from hardneg import parallel


@pytest.fixture(params=["1", "4"])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(parallel, "threads", lambda: int(request.param))
    return int(request.param)


def test_the_environment_lowers_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usable = parallel.threads()
    for value, wanted in (("1", 1), ("0", 1), (str(usable + 5), usable), ("4,2", usable), ("many", usable)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert parallel.threads() == wanted


def test_results_stand_in_order(workers: int) -> None:
    def slow(one: int) -> int:
        time.sleep(0.01 * (one % 3 == 0))
        return one * one

    assert parallel.each(slow, range(20)) == [one * one for one in range(20)]
    assert parallel.each(slow, []) == []


def test_the_first_exception_comes_through(workers: int) -> None:
    def fail(one: int) -> int:
        if one >= 2:
            raise ValueError(f"task {one}")
        return one

    with pytest.raises(ValueError, match="task 2"):
        parallel.each(fail, range(9))


def test_threads_do_not_multiply(workers: int) -> None:
    def inner(one: int) -> int:
        return threading.get_ident()

    def outer(one: int) -> set[int]:
        return set(parallel.each(inner, range(8))) | {threading.get_ident()}

    assert all(len(found) == 1 for found in parallel.each(outer, range(4)))
