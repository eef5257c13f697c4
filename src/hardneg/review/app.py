"""The routes: pages by GET, answers by POST, media by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from hardneg.agreement import agreement
from hardneg.decisions import ANSWERS
from hardneg.errors import HardnegError, OptionError
from hardneg.images import BrokenImage
from hardneg.review.answers import Answers
from hardneg.review.desk import Desk
from hardneg.review.media import Media, Side
from hardneg.review.pages import page, script, style
from hardneg.review.screens import Screens
from hardneg.review.security import Guard
from hardneg.review.view import View

__all__ = ["make_app"]

_MOST = 65_536  # bytes of a form


def make_app(desk: Desk, token: str, port: int, reviewer: str = "") -> Guard:
    """The page about a run, behind its guard. ``reviewer`` is the name that is proposed to who has given none."""
    answers, media = Answers(desk), Media(desk.run)
    routes = _Routes(desk, answers, media, Screens(desk, answers, media), reviewer)
    app = Starlette(routes=routes.all(), exception_handlers={HardnegError: _wrong})
    return Guard(app, token, port)


class _Routes:
    def __init__(self, desk: Desk, answers: Answers, media: Media, screens: Screens, reviewer: str) -> None:
        self._desk, self._answers, self._media = desk, answers, media
        self._screens, self._reviewer = screens, reviewer

    def all(self) -> list[Route]:
        """Every route; what is plain ``def`` runs on a thread of its own."""
        return [
            Route("/", self.home),
            Route("/agreement", self.agreement),
            Route("/decide", self.decide, methods=["POST"]),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/review.css", lambda _: Response(style(), media_type="text/css")),
            Route("/review.js", lambda _: Response(script(), media_type="text/javascript")),
            Route("/picture/{side}/{row:int}", self.picture),
            Route("/scene/{side}/{row:int}", self.scene),
            Route("/spectrum/{side}/{row:int}", self.spectrum),
            Route("/sound/{side}/{row:int}", self.sound),
        ]

    def home(self, request: Request) -> Response:
        """One candidate, or a grid of them; the reviewer's name is asked for first."""
        view = self._view(request.query_params)
        if not view.who:
            shown = page("who", view=view, run=self._desk.run.path.name, reviewer=self._reviewer)
            return HTMLResponse(shown)
        at, after = (_number(request.query_params.get(name)) for name in ("at", "after"))
        if view.layout == "grid":
            return HTMLResponse(self._screens.grid(view, _number(request.query_params.get("page"))))
        return HTMLResponse(self._screens.one(view, at, after))

    def agreement(self, request: Request) -> Response:
        """Who answered how much, and how far they agree."""
        view = self._view(request.query_params)
        found = agreement(self._answers.reviewers)
        shown = {"disputed": int(self._answers.disputed().sum()), "run": self._desk.run.path.name, "answers": ANSWERS}
        return HTMLResponse(page("agreement", view=view, found=found, **shown))

    async def decide(self, request: Request) -> Response:
        """Keep an answer, then show what comes next."""
        return await _with_form(request, self._decide)

    async def undo(self, request: Request) -> Response:
        """Take the reviewer's last answer back, and show what it was about."""
        return await _with_form(request, self._undo)

    def _decide(self, form: Mapping[str, str]) -> Response:
        view = self._view(dict(parse_qsl(form.get("view", ""))))
        row, answer = _number(form.get("row")), form.get("answer", "")
        if not view.who or answer not in ANSWERS or row is None or not 0 <= row < len(self._desk):
            raise OptionError("An answer needs a reviewer, a candidate and one of the known answers.")
        drawn = self._screens.drawn(view, row)
        self._answers.decide(row, answer, view.who, drawn, form.get("note", "").strip()[:500])
        if view.layout == "grid":
            return _see(view.query(page=form.get("page", "1")), f"c{row}")
        return _see(view.query(after=row))

    def _undo(self, form: Mapping[str, str]) -> Response:
        view = self._view(dict(parse_qsl(form.get("view", ""))))
        row = self._answers.undo(view.who)
        if view.layout == "grid":
            return _see(view.query(page=form.get("page", "1")))
        return _see(view.query() if row is None else view.query(at=row))

    def picture(self, request: Request) -> Response:
        """A picture, or a crop."""
        return self._jpeg(request, whole=False)

    def scene(self, request: Request) -> Response:
        """The whole picture that a crop is of."""
        return self._jpeg(request, whole=True)

    def spectrum(self, request: Request) -> Response:
        """The spectrogram of a sound."""
        found = self._media.spectrum(*self._asked(request))
        return _missing() if found is None else _kept(found, "image/png")

    def sound(self, request: Request) -> Response:
        """A sound to play."""
        found = self._media.sound(*self._asked(request))
        return _missing() if found is None else _ranged(request, *found)

    def _jpeg(self, request: Request, whole: bool) -> Response:
        try:
            return _kept(self._media.picture(*self._asked(request), whole), "image/jpeg")
        except BrokenImage:
            return _missing()

    def _asked(self, request: Request) -> tuple[Side, int]:
        """The thing of the run that an address names: a number in one of its two lists, never a path."""
        side, row = request.path_params["side"], request.path_params["row"]
        if not self._media.has(side, row):
            raise HTTPException(404)
        return cast(Side, side), row

    def _view(self, query: Mapping[str, str]) -> View:
        return self._screens.checked(View.from_query(query))


async def _with_form(request: Request, then: Callable[[Mapping[str, str]], Response]) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST:
            return PlainTextResponse("This is too long.\n", 413)
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return await run_in_threadpool(then, form)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None


def _see(query: str, place: str = "") -> Response:
    return RedirectResponse(f"./?{query}{'#' + place if place else ''}", 303)


def _missing() -> Response:
    return PlainTextResponse("There is no such thing.\n", 404)


def _kept(content: bytes, kind: str) -> Response:
    """What does not change while the page is open."""
    return Response(content, media_type=kind, headers={"cache-control": "private, max-age=3600"})


def _ranged(request: Request, content: bytes, kind: str) -> Response:
    """A sound; browsers ask for a range so that they can jump in it."""
    start, end = _range(request.headers.get("range", ""), len(content))
    response = _kept(content[start:end], kind)
    response.headers["accept-ranges"] = "bytes"
    if "range" in request.headers:
        response.status_code = 206
        response.headers["content-range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return response


def _range(text: str, size: int) -> tuple[int, int]:
    first, _, last = text.removeprefix("bytes=").partition("-")
    start = _number(first) or 0
    end = _number(last)
    return (start, min(size, size if end is None else end + 1)) if start < size else (0, size)


def _wrong(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    """What is wrong in plain words: with the question, or with the disk."""
    status = 400 if isinstance(error, OptionError) else 500
    return HTMLResponse(page("wrong", words=str(error)), status)
