"""Files by the names that lists have for them: with or without their folders and their suffix."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path, PurePath

from hardneg.io.readers._labelled_names import is_sound

__all__ = ["NotFound", "Recordings"]


class NotFound(LookupError):  # noqa: N818 - it is counted, not only raised
    """A name without a file; the message is the reason, in one word."""


class Recordings:
    """The sounds below a folder, or other files that are ``wanted``, found by name.

    Links to folders are not followed, and what is hidden is not looked at.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "wav").mkdir()
    ...     Path(folder, "wav", "call.flac").touch()
    ...     files = Recordings(Path(folder))
    ...     [files.find(name) for name in ("call", "call.flac", "wav/call", "wav/call.flac")]
    ['wav/call.flac', 'wav/call.flac', 'wav/call.flac', 'wav/call.flac']
    """

    def __init__(self, folder: Path, wanted: Callable[[str], bool] = is_sound) -> None:
        self._folder, self._wanted = folder, wanted
        self._known: dict[str, str | None] = {}

    def find(self, name: str) -> str:
        """The path of a file, relative to the folder where it was looked for there.

        The name is a path, or the end of one below the folder; its suffix may be left out.

        Raises NotFound where there is no such file, or more than one.
        """
        if name not in self._known:
            found = self._matching(name)
            self._known[name] = found[0] if len(found) == 1 else "" if found else None
        path = self._known[name]
        if not path:
            raise NotFound("no_such_recording" if path is None else "several_such_recordings")
        return path

    def _matching(self, name: str) -> list[str]:
        if not name or "\0" in name:
            return []
        if self._wanted(name) and (self._folder / name).is_file():
            return [name]
        plain = name.replace("\\", "/").removeprefix("./")
        ends = [
            path
            for path in self._by_name.get(plain.rsplit("/", 1)[-1], ())
            if f"/{path}".endswith(f"/{plain}") or f"/{_bare(path)}".endswith(f"/{plain}")
        ]
        return [path for path in ends if plain in (path, _bare(path))] or ends

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """All files by their last name, with and without suffix."""
        found: dict[str, list[str]] = {}
        for folder, folders, files in os.walk(self._folder):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            inside = Path(folder).relative_to(self._folder)
            for name in sorted(files):
                if self._wanted(name) and not name.startswith("."):
                    path = (inside / name).as_posix()
                    found.setdefault(name, []).append(path)
                    found.setdefault(_bare(name), []).append(path)
        return found


def _bare(path: str) -> str:
    return path.removesuffix(PurePath(path).suffix)
