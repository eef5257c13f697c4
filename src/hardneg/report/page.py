"""From sections to one file: data, templates, styles and scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from hardneg.report import numbers
from hardneg.report.advice import advice
from hardneg.report.audit import audited
from hardneg.report.confusion import confusion
from hardneg.report.distributions import distributions
from hardneg.report.embed import embedded_json, policy
from hardneg.report.facts import Facts
from hardneg.report.frontier import frontier
from hardneg.report.gallery import gallery
from hardneg.report.map import plane_map
from hardneg.report.overview import overview, skipped
from hardneg.report.popular import popularity
from hardneg.report.ranks import ranks
from hardneg.report.reviewed import reviewed
from hardneg.report.shortfall import shortfall
from hardneg.report.waterfall import waterfall

__all__ = ["SECTIONS", "Section", "environment", "joined", "render"]

_STYLES = (
    *("base.css", "charts.css", "map.css", "tables.css", "audit.css", "gallery.css", "pictures.css"),
    *("sounds.css", "print.css"),
)
_SCRIPTS = (
    *("theme.js", "charts.js", "gallery-filter.js", "gallery-card.js"),
    *("gallery-picture.js", "gallery-sound.js", "gallery.js", "map.js"),
)


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, heading and short name, its template, and the function that makes what it shows.

    The template sees what ``data`` returns as ``data``. A section without data is left out, and so is its link.
    """

    id: str
    title: str
    short: str
    data: Callable[[Facts], Any]

    @property
    def template(self) -> str:
        """The file of its template."""
        return f"{self.id}.html.j2"


SECTIONS = (
    Section("ledger", "Where the candidates went", "Ledger", waterfall),
    Section("audit", "Is it trustworthy?", "Trust", audited),
    Section("frontier", "False negatives against hardness", "Frontier", frontier),
    Section("scores", "How they score", "Scores", distributions),
    Section("ranks", "Hardness by rank", "Ranks", ranks),
    Section("confusion", "Confusion map", "Confusion", confusion),
    Section("map", "Where they lie", "Map", plane_map),
    Section("items", "Items mined most often", "Items", popularity),
    Section("short", "Anchors that came up short", "Short", shortfall),
    Section("skipped", "Left out on reading", "Left out", lambda facts: skipped(facts) or None),
    Section("reviewed", "What reviewers said", "Reviewed", reviewed),
    Section("next", "What to do next", "Next", advice),
    Section("gallery", "Gallery", "Gallery", gallery),
)


def render(facts: Facts) -> str:
    """The whole page: the same text for the same run."""
    found = [(section, section.data(facts)) for section in SECTIONS]
    style, script = joined(_STYLES), joined(_SCRIPTS)
    page = environment().get_template("page.html.j2")
    return page.render(
        overview=overview(facts),
        version=facts.run.manifest.get("hardneg_version"),
        sections=[{"about": section, "data": data} for section, data in found if data is not None],
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 - our own files, no data in them
        script=Markup(script),  # noqa: S704
    )


@cache
def joined(names: tuple[str, ...]) -> str:
    """Files of styles or scripts as one."""
    folder = files("hardneg.report") / "assets"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


@cache
def environment(package: str = "hardneg.report") -> Environment:
    """The templates of a package: everything is escaped, a name that is not there is an error."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": numbers.count,
        "number": numbers.number,
        "share": numbers.share,
        "short": numbers.short,
        "plural": numbers.plural,
        "embedded_json": embedded_json,
    }
    return environment
