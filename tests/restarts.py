"""A process that is killed as its work goes on, and started anew until it ends by itself."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def killed_until_done(
    start: Callable[[], subprocess.Popen[bytes]],
    journal: Path,
    step: int,
    after: Callable[[int], None] = lambda kills: None,
) -> int:
    """Kill the process each time its journal names so many more parts. Gives how often it was killed.

    ``after`` is called with the number of kills so far, before the next start.
    """
    kills, wanted = 0, 1
    for _ in range(30):
        process = start()
        while process.poll() is None and (not journal.exists() or journal.read_text().count("done") < wanted):
            time.sleep(0.005)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        wanted = journal.read_text().count("done") + step
        kills += 1
        after(kills)
    assert process.wait() == 0
    return kills
