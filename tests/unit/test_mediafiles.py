from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardneg import images, sounds
from hardneg.mediafiles import BrokenMedia, digest_of, examine_each


@pytest.mark.parametrize(
    "look", [images.rgb, images.examine, images.digest, sounds.wave, sounds.examine, sounds.digest]
)
def test_files_that_are_not_there(look: Callable[[Any], object], tmp_path: Path) -> None:
    broken = images.BrokenImage if look.__module__ == "hardneg.images" else sounds.BrokenSound
    (tmp_path / "link.x").symlink_to("gone.x")
    os.mkfifo(tmp_path / "pipe.x")
    (tmp_path / "empty.x").touch()
    for name, reason, word in [
        ("none.x", "missing_file", "There is no such file"),
        ("link.x", "missing_file", "a link to gone.x"),
        ("a\0b", "missing_file", "cannot be read"),
        ("n" * 999, "missing_file", "cannot be read"),
        ("pipe.x", broken.another, "no file"),
        ("", broken.another, "a folder"),
        ("empty.x", "empty_file", "0 bytes"),
    ]:
        with pytest.raises(broken, match=word) as caught:
            look(tmp_path / name)
        assert caught.value.reason == reason
        assert caught.value.path == tmp_path / name


def test_a_broken_one_among_many_keeps_no_frames() -> None:
    found = examine_each([b"", b"x"], images.examine, BrokenMedia, threads=2)
    assert [one.reason for one in found if isinstance(one, BrokenMedia)] == ["empty_file", "not_an_image"]
    assert all(one.__traceback__ is None for one in found if isinstance(one, BrokenMedia))


def test_the_digest_is_of_all_that_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"some bytes")
    with (tmp_path / "a").open("rb") as file:
        file.read(4)
        assert digest_of(file) == images.digest(b"some bytes") == sounds.digest(tmp_path / "a")
