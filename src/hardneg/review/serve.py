"""The page on a port of this machine, until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable

from hardneg.errors import MissingExtraError, OptionError
from hardneg.review.desk import Desk
from hardneg.review.security import LOOPBACK, new_token

__all__ = ["serve"]


def serve(desk: Desk, port: int, reviewer: str, ready: Callable[[str], None]) -> None:
    """Serve the page about a run until it is interrupted; ``ready`` is given its address once it can be opened.

    Args:
        desk: what is reviewed.
        port: where; 0 takes any that is free.
        reviewer: the name that is proposed.
        ready: called once.

    Raises:
        MissingExtraError: the extra ``review`` is not installed.
        OptionError: the port is taken.
    """
    try:
        import uvicorn

        from hardneg.review.app import make_app
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="review") from None
    listening = _listen(port)
    taken = int(listening.getsockname()[1])
    token = new_token()
    config = uvicorn.Config(
        make_app(desk, token, taken, reviewer), log_level="warning", access_log=False, server_header=False,
        lifespan="off", ws="none", timeout_graceful_shutdown=2,
    )  # fmt: skip
    ready(f"http://{LOOPBACK}:{taken}/{token}/")
    uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
    except OSError as error:
        made.close()
        raise OptionError(
            f"The port {port} cannot be used ({error.strerror}). Leave --port out for a free one."
        ) from error
    made.listen(64)
    return made
