"""From what is shown to HTML: the templates of this package, and the styles and scripts that go with them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from hardneg.report.page import environment, joined

__all__ = ["page", "script", "style"]

_REPORT_STYLES = ("base.css", "tables.css")


def page(name: str, **shown: Any) -> str:
    """A page from its template. Everything in ``shown`` is escaped."""
    return environment("hardneg.review").get_template(f"{name}.html.j2").render(**shown)


@cache
def style() -> str:
    """All styles."""
    return joined(_REPORT_STYLES) + _asset("review.css")


@cache
def script() -> str:
    """All scripts."""
    return joined(("theme.js",)) + _asset("review.js")


def _asset(name: str) -> str:
    return (files("hardneg.review") / "assets" / name).read_text(encoding="utf-8")
