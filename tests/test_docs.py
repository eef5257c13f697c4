"""Python blocks in the docs run, recipes parse, commands exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from hardneg.cli.main import cli
from hardneg.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        parts = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        found += [(f"{page.name}-{number}", part) for number, part in enumerate(parts)]
    return found


@pytest.mark.parametrize(("name", "code"), blocks("python"), ids=lambda x: x if len(x) < 40 else "")
def test_python_runs(name: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, name, "exec"), {"__name__": name})


@pytest.mark.parametrize(("name", "text"), blocks("toml"), ids=lambda x: x if len(x) < 40 else "")
def test_recipes_parse(name: str, text: str) -> None:
    assert "data" in tomllib.loads(text), name
    assert Recipe.parse(text, Path()).checked().steps()


def commands() -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.name != "design.md")
    found = re.findall(r"^    (hardneg [a-z].*)$", text, flags=re.MULTILINE)
    return sorted({line.split("   ")[0].split("#")[0].strip() for line in found})


@pytest.mark.parametrize("line", commands())
def test_commands_exist(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, line
    known = {flag for parameter in command.params for flag in parameter.opts}
    assert {word for word in arguments if word.startswith("-")} <= known, line


def test_there_are_examples_to_check() -> None:
    assert blocks("python")
    assert blocks("toml")
    assert len(commands()) >= 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing
