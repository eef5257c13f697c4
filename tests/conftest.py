"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy is slow; how long an example takes says nothing of whether it is right.
settings.register_profile("hardneg", deadline=None)
settings.load_profile("hardneg")

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets (HARDNEG_DATA, or ../shared/data); the test is skipped where there is none."""
    folder = Path(os.environ.get("HARDNEG_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set HARDNEG_DATA to the folder that holds them")
    return folder
