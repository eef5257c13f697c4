"""Where and with what a benchmark ran, and how its tables get into the docs."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.texts import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"


def processor() -> str:
    """The processor's own name where the system tells it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.M) if info.is_file() else None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def versions(packages: Sequence[str]) -> dict[str, str]:
    out = {"python": platform.python_version()}
    for package in packages:
        try:
            out[package] = version(package)
        except PackageNotFoundError:
            out[package] = "not installed"
    return out


def described(packages: Sequence[str]) -> str:
    """One line: processor, cores, memory, system and versions."""
    names = ", ".join(f"{name} {number}" for name, number in versions(packages).items())
    system = f"{platform.system()} {platform.machine()}"
    return f"{processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB, {system}. {names}."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first stand to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def tell(name: str, text: str, packages: Sequence[str], *, write: bool) -> None:
    """Print a section with the machine and the versions, and put it into the document where that is asked for."""
    text = f"{text}\n\n{described(packages)}"
    print(text)
    if write:
        write_section(name, text)


def write_section(name: str, text: str, path: Path = DOCUMENT) -> None:
    """Put ``text`` between the marks of section ``name``; the rest of the document stays as it is."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text(encoding="utf-8") if path.is_file() else "# Benchmarks\n"
    fresh = f"{begin}\n{text.strip()}\n{end}"
    if begin in old and end in old:
        new = old[: old.index(begin)] + fresh + old[old.index(end) + len(end) :]
    else:
        new = f"{old.rstrip()}\n\n{fresh}\n"
    path.write_text(new, encoding="utf-8")
