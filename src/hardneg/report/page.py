"""From sections to one file: data, templates, styles and scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from hardneg.report.detector import before_and_after, mistakes_of_run
from hardneg.report.distributions import distributions
from hardneg.report.embed import embedded_json, policy
from hardneg.report.facts import Facts
from hardneg.report.frontier import frontier
from hardneg.report.gallery import BUDGET, gallery
from hardneg.report.impact import impact
from hardneg.report.map import plane_map
from hardneg.report.overview import overview, skipped
from hardneg.report.popular import popularity
from hardneg.report.ranks import ranks
from hardneg.report.reviewed import reviewed
from hardneg.report.shortfall import shortfall
from hardneg.report.waterfall import waterfall

__all__ = ["SECTIONS", "Part", "Section", "assembled", "environment", "joined", "render"]

_STYLES = (
    *("base.css", "charts.css", "map.css", "tables.css", "audit.css", "gallery.css", "pictures.css"),
    *("sounds.css", "boxes.css", "curves.css", "impact.css", "print.css"),
)
_SCRIPTS = (
    *("theme.js", "charts.js", "gallery-filter.js", "gallery-card.js"),
    *("gallery-picture.js", "gallery-sound.js", "gallery.js", "boxes.js", "map.js"),
)


@dataclass(frozen=True)
class Part:
    """A part of a page: its anchor, heading and short name, and its template."""

    id: str
    title: str
    short: str

    @property
    def template(self) -> str:
        """The file of its template."""
        return f"{self.id}.html.j2"


@dataclass(frozen=True)
class Section(Part):
    """A part of a run's page with the function that makes what it shows.

    The template sees what ``data`` returns as ``data``. A section without data is left out, and so is its link.
    """

    data: Callable[[Facts], Any]


SECTIONS = (
    Section("ledger", "Where the candidates went", "Ledger", waterfall),
    Section("audit", "Is it trustworthy?", "Trust", audited),
    Section("frontier", "False negatives against hardness", "Frontier", frontier),
    Section("impact", "Did mining help?", "Impact", impact),
    Section("mistakes", "What the detector got wrong", "Mistakes", mistakes_of_run),
    Section("curves", "Before and after", "Curves", before_and_after),
    Section("boxes", "Boxes to look at", "Boxes", lambda facts: facts.boxes),
    Section("scores", "How they score", "Scores", distributions),
    Section("ranks", "Hardness by rank", "Ranks", ranks),
    Section("confusion", "Confusion map", "Confusion", confusion),
    Section("map", "Where they lie", "Map", plane_map),
    Section("items", "Items mined most often", "Items", popularity),
    Section("short", "Anchors that came up short", "Short", shortfall),
    Section("skipped", "Left out on reading", "Left out", lambda facts: skipped(facts) or None),
    Section("reviewed", "What reviewers said", "Reviewed", reviewed),
    Section("next", "What to do next", "Next", advice),
    Section("gallery", "Gallery", "Gallery", lambda facts: gallery(facts, BUDGET - _boxes(facts))),
)


def _boxes(facts: Facts) -> int:
    """How much of the page's budget boxes have taken already."""
    return 0 if facts.boxes is None else facts.boxes.bytes


def render(facts: Facts) -> str:
    """The whole page: the same text for the same run."""
    found = [(section, section.data(facts)) for section in SECTIONS]
    return assembled("overview.html.j2", overview(facts), found, facts.run.manifest.get("hardneg_version"))


def assembled(head: str, overview: Any, found: Sequence[tuple[Part, Any]], version: object) -> str:
    """A page from its head and its sections, each with its data; one without data is left out.

    ``overview`` is what the template ``head`` shows; it has a ``name`` and a ``title``.
    """
    style, script = joined(_STYLES), joined(_SCRIPTS)
    page = environment().get_template("page.html.j2")
    return page.render(
        head=head,
        overview=overview,
        version=version,
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
