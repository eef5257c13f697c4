"""The front of the package: names on demand, and what is said where torch is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")


def test_names_are_there_on_demand() -> None:
    import hardneg.online as front

    assert set(front.__all__) <= set(dir(front))
    assert all(getattr(front, name) is not None for name in front.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        front.nothing  # noqa: B018


def test_without_torch_the_extra_is_named() -> None:
    code = "import sys; sys.modules['torch'] = None\nimport hardneg.online"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert 'pip install "hardneg[online]"' in found.stderr.splitlines()[-1]
