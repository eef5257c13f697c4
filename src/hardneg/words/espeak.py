"""espeak-ng, a formant synthesiser with rules for over a hundred languages: how a text is pronounced, and said."""

from __future__ import annotations

import _ctypes
import ctypes
import ctypes.util
import importlib.util
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, MissingExtraError, OptionError

__all__ = ["RATE", "is_there", "pronounced", "said"]

RATE = 22_050
"""Samples a second of what it says."""

_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8, _IPA = 2, 0x8000, 1, 0x02  # of speak_lib.h
_SPEED, _PITCH = 1, 3  # its parameters
_CLOSE: Any = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)  # its name on Windows
_LOCK = threading.Lock()  # the library speaks with one voice at a time
_OTHER_NAMES = {"en-gb": "en", "en-uk": "en"}  # languages that its files call otherwise
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def is_there() -> bool:
    """Whether the library is installed: from the package espeakng-loader, or by the system."""
    return _place() is not None


def pronounced(texts: Sequence[str], voice: str = "en-us") -> list[str]:
    """How a voice pronounces each text, in the International Phonetic Alphabet.

    Raises MissingExtraError without the library, OptionError for a voice it does not have.
    """
    with _opened() as library:
        _choose(library, voice)
        return [_pronounced(library, text) for text in texts]


def _pronounced(library: Any, text: str) -> str:
    buffer = ctypes.create_string_buffer(_clean(text).encode())
    at, parts = ctypes.c_void_p(ctypes.addressof(buffer)), []
    while at.value:  # a clause each time; none are left when there is no place to go on from
        parts.append(library.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _IPA))
    return re.sub(r"\([a-z-]+\)", "", " ".join(part.decode() for part in parts if part))  # (en) before a foreign word


def said(text: str, voice: str = "en-us", speed: int = 175, pitch: int = 50) -> NDArray[np.int16]:
    """What a voice says, at ``RATE`` samples a second, shape ``(samples,)``.

    Args:
        text: what to say.
        voice: a language, as ``en-us`` or ``de``, and a variant of the voice if wanted: ``en-us+f3``.
        speed: words a minute, from 80 to 450.
        pitch: from 0 to 99.

    Raises MissingExtraError without the library, OptionError for a voice it does not have, InputError for a text in
    which there is nothing to say.
    """
    parts: list[NDArray[np.int16]] = []
    stopped: list[BaseException] = []

    def take(samples: Any, n: int, _: Any) -> int:
        try:
            if samples and n > 0:
                parts.append(np.ctypeslib.as_array(samples, (n,)).astype(np.int16))
        except BaseException as error:  # Ctrl-C above all: ctypes would swallow it here
            stopped.append(error)
        return int(bool(stopped))  # anything but 0 stops the library

    taking = _Callback(take)  # kept until all is said
    with _opened() as library:
        _choose(library, voice)
        library.espeak_SetParameter(_SPEED, speed, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        library.espeak_SetSynthCallback(taking)
        data = _clean(text).encode()
        library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    if stopped:
        raise stopped[0]
    if not any(part.any() for part in parts):
        raise InputError(f"There is nothing to say in '{text}'.", remedy="Give a word.")
    return np.concatenate(parts)


def _clean(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()


def _choose(library: Any, voice: str) -> None:
    name, plus, variant = voice.partition("+")
    name = f"{_OTHER_NAMES.get(name, name)}{plus}{variant}"
    if "\0" in voice or library.espeak_SetVoiceByName(name.encode()) != 0:
        raise OptionError(
            f"espeak-ng has no voice '{voice}'. Give a language and a variant, as en-us, de, en-gb+f3 or en-us+m5."
        )
    known = _variants(library)
    if variant and variant not in known:
        raise OptionError(f"espeak-ng has no variant '{variant}'. Choose from: {', '.join(known)}.")


@contextmanager
def _opened() -> Iterator[Any]:
    """The library, loaded anew: what it says depends on all that it has said since it was loaded.

    That takes some milliseconds, and the same text gives the same samples (in 1.51 not with every variant of a voice).
    """
    place = _place()
    if place is None:
        error = MissingExtraError("espeakng-loader", extra="speak")
        error.msg = f"{error.msg}, or install espeak-ng."  # what an ImportError shows
        raise error
    with _LOCK:
        library = ctypes.CDLL(place[0])
        try:
            _make_ready(library, *place)
            yield library
        finally:
            library.espeak_Terminate()  # it may have threads of its own, which must not outlive its code
            _CLOSE(library._handle)


def _make_ready(library: Any, file: str, data: str | None) -> None:
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p,
        ctypes.c_void_p,
    ]  # fmt: skip
    library.espeak_Info.restype = ctypes.c_char_p
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data and data.encode(), _DO_NOT_EXIT) != RATE:
        raise OptionError(f"espeak-ng at '{file}' does not start. Install it anew, with its data.")


def _variants(library: Any) -> tuple[str, ...]:
    """The names of the variants, as their files are called: the library takes unknown ones without a word."""
    data = ctypes.c_char_p()
    library.espeak_Info(ctypes.byref(data))
    folder = Path((data.value or b"").decode()) / "voices" / "!v"
    return tuple(sorted(one.name for one in folder.iterdir())) if folder.is_dir() else ()


@lru_cache(maxsize=1)
def _place() -> tuple[str, str | None] | None:
    """The library and the folder that its data are in, None where it knows that itself."""
    spec = importlib.util.find_spec("espeakng_loader")
    for folder in map(Path, (spec.submodule_search_locations or []) if spec else []):
        for name in ("libespeak-ng.so", "libespeak-ng.dylib", "espeak-ng.dll"):
            if (folder / name).is_file():
                return str(folder / name), str(folder)
    found = ctypes.util.find_library("espeak-ng")
    return (found, None) if found else None
