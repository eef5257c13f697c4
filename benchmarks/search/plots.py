"""The plots of the page, as SVG that is the same whenever the figures are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.texts import ROOT

IMAGES = ROOT / "docs" / "images"

Curves = Mapping[str, list[tuple[float, float]]]


def recall(name: str, curves: Curves, exact: float, title: str) -> None:
    """Minutes against recall; exact search is a line, since it has but one recall."""
    figure, axes = _axes(title, "recall@50", "minutes in all, building included")
    _draw(axes, curves)
    axes.axhline(exact, color="black", linestyle="--", linewidth=1, label="Exact (recall 1)")
    _plain(axes, "y")
    axes.set_xlim(left=max(0.7, min(x for points in curves.values() for x, _ in points) - 0.01), right=1.002)
    _save(figure, axes, name)


def growth(name: str, curves: Curves, title: str) -> None:
    """Seconds for a thousand anchors against items."""
    figure, axes = _axes(title, "items", "seconds for 1,000 anchors, building apart")
    _draw(axes, curves)
    _plain(axes, "x")
    _plain(axes, "y")
    _save(figure, axes, name)


def _axes(title: str, across: str, up: str) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "hardneg", "svg.fonttype": "none", "font.size": 10})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.grid(which="both", alpha=0.25)
    return figure, axes


def _draw(axes: Any, curves: Curves) -> None:
    for place, (label, points) in enumerate(curves.items()):
        ours = label in ("Exact", "Approximate")
        axes.plot(
            *zip(*points, strict=True), marker="osD^vPX"[place % 7], label=label, markersize=5,
            linewidth=2.5 if ours else 1.2,
        )  # fmt: skip


def _plain(axes: Any, which: str) -> None:
    """Powers of ten, with plain numbers beside them."""
    from matplotlib import ticker

    getattr(axes, f"set_{which}scale")("log")
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if which == "y" else (1, 3)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def _save(figure: Any, axes: Any, name: str) -> None:
    axes.legend()
    figure.tight_layout()
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / name, metadata={"Date": None})
