"""Models on the Hugging Face Hub, on machines that cannot reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

__all__ = ["without_waiting"]


@contextmanager
def without_waiting() -> Iterator[None]:
    """Where the hub cannot be reached, only what was downloaded before is looked for.

    Its library would try each of a dozen files several times, for minutes. Behind a proxy names need not be known
    here, so there it is left to try.
    """
    try:
        from huggingface_hub import constants
    except ModuleNotFoundError:  # not every library that loads models builds on it
        yield
        return
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not (getproxies() or _known(str(urlsplit(constants.ENDPOINT).hostname)))
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _known(host: str) -> bool:
    """Whether a machine of this name can be found."""
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False
