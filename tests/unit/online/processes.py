"""Real processes with gloo, for tests: each runs the same code and saves what it found."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

_BEGIN = """
import os, sys, torch
from torch import distributed
torch.set_num_threads(1)
rank, world, out = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), sys.argv[1]
distributed.init_process_group("gloo")
"""
_END = """
torch.save(found, f"{out}/{rank}.pt")
distributed.barrier()
distributed.destroy_process_group()
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def in_processes(world: int, code: str, folder: Path, timeout: float = 120) -> list[Any]:
    """What each of ``world`` processes left in ``found``; the code knows ``rank``, ``world`` and ``torch``."""
    package = importlib.util.find_spec("hardneg")
    assert package is not None
    assert package.origin is not None
    folder.mkdir(parents=True, exist_ok=True)
    shared = {"PYTHONPATH": str(Path(package.origin).parents[1]), "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    shared |= {"MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(world)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _BEGIN + code + _END, str(folder)],
            env={**os.environ, **shared, "RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        told = [one.communicate(timeout=timeout)[1] for one in started]
    finally:
        for one in started:
            one.kill()
    assert all(one.returncode == 0 for one in started), "\n".join(told)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(world)]
