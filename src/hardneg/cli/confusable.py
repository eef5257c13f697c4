"""``hardneg confusable``: the words that sound like a keyword."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from hardneg.cli._common import NameValue, console, overwrite_option, table
from hardneg.errors import OptionError, StorageError
from hardneg.report.numbers import plural
from hardneg.storage import place

if TYPE_CHECKING:
    import pyarrow as pa

    from hardneg.words import Lexicon, Vocabulary

__all__ = ["command"]

_PATH = click.Path(path_type=Path)


@click.command(short_help="List the words that sound like a keyword.")
@click.argument("keywords", nargs=-1, required=True, metavar="KEYWORD...")
@click.option("--among", metavar="DATA", help="Look among the words of a table, a folder or a list.")
@click.option("--column", "columns", type=NameValue(), multiple=True, help="Your own column, as in label=word.")
@click.option("--lexicon", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Words with their pronunciations, a line each: word, a tab, F AY1 V or faɪv.")  # fmt: skip
@click.option("--language", default="en-us", show_default=True, help="Whose words these are, as espeak-ng names it.")
@click.option("-k", type=click.IntRange(min=1), default=20, show_default=True, help="How many words for a keyword.")
@click.option("--by", type=click.Choice(["distance", "within"]), default="distance", show_default=True,
              help="Whole words, or the nearest stretch within them.")  # fmt: skip
@click.option("-o", "--out", type=_PATH, help="Also write the table as CSV.")
@click.option("--speak", type=_PATH, help="Have espeak-ng say the words, into this folder.")
@click.option("--voices", help="The voices for that, with commas between: en-us,en-gb+f3.")
@overwrite_option
def command(keywords: tuple[str, ...], **options: Any) -> None:
    """List the words that sound most like each KEYWORD: what a detector will take for it.

    Without --among all words of the CMU dictionary, or of --lexicon, are looked at. DISTANCE is 0 for words that sound
    the same and 1 for words with nothing in common; WITHIN is that of the keyword to the nearest stretch of the word.

    \b
        hardneg confusable alexa "hey computer"
        hardneg confusable alexa --among transcripts.csv
        hardneg confusable five --among index.csv --column label=word -o near.csv
        hardneg confusable five --speak spoken/ --voices en-us,en-gb
    """  # noqa: D301 - click's own mark for text that keeps its lines
    from hardneg.words import Lexicon, confusable

    if options["voices"] and options["speak"] is None:
        raise OptionError("The 'voices' are for --speak DIR. Give both, or leave the voices out.")
    out: Path | None = options["out"]
    if out is not None and out.exists() and not options["overwrite"]:
        raise StorageError(f"'{out}' exists already. Choose another name, or replace it with --overwrite.")
    with console.status("Reading how words are pronounced"):
        lexicon = Lexicon.load(options["lexicon"], options["language"])
        among = _among(options["among"], dict(options["columns"]), keywords, lexicon)
        found = confusable(keywords, among, lexicon, options["k"], options["by"])
    _say_unknown(among.unknown)
    _show(found, keywords)
    if out is not None:
        _write(found, out)
    if options["speak"] is not None:
        _speak(found, options)


def _among(data: str | None, columns: dict[str, str], keywords: Sequence[str], lexicon: Lexicon) -> Vocabulary:
    """The words to look among: all that the lexicon lists, or what a data set says."""
    from hardneg.io.said import said_in
    from hardneg.words import Vocabulary, plain, spoken

    if data is None or (data == "lexicon" and not Path(data).exists()):
        if columns:
            raise OptionError("The 'column' option is for --among DATA. Give both, or leave the column out.")
        return Vocabulary.of_lexicon(lexicon)
    if not Path(data).exists():
        raise OptionError(f"There is no '{data}' to look among. Give a table, a folder, a list, or: lexicon.")
    said = said_in(Path(data), columns)
    longest = 1 + max(len(plain(one).split()) for one in keywords)
    return Vocabulary.of([*said.labels, *spoken(said.texts, longest).phrases], lexicon)


def _say_unknown(words: Sequence[str]) -> None:
    if words:
        named = ", ".join(words[:8]) + (" ..." if len(words) > 8 else "")
        console.print(
            f"{plural(len(words), 'word')} left out, since it is not known how to pronounce them: {named}\n"
            "Give a list with --lexicon (a line each: word, a tab, F AY1 V or faɪv), or install espeak-ng.",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def _show(found: pa.Table, keywords: Sequence[str]) -> None:
    to = Console(width=None if sys.stdout.isatty() else 120)
    for keyword in keywords:
        mine = [row for row in found.to_pylist() if row["keyword"] == keyword]
        rows = [(row["word"], f"{row['distance']:.3f}", f"{row['within']:.3f}", row["sounds"], _note(row))
                for row in mine]  # fmt: skip
        title = f"{keyword}  {mine[0]['keyword_sounds']}" if mine else f"{keyword}: no other word is there"
        to.print(table(title, ("word", "distance", "within", "sounds", ""), rows))


def _note(row: dict[str, Any]) -> str:
    if row["distance"] == 0:
        return "sounds the same"
    return "contains it" if row["within"] == 0 else ""


def _write(found: pa.Table, out: Path) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.column_names)
    writer.writerows([f"{one:.6f}" if isinstance(one, float) else one for one in row.values()]
                     for row in found.to_pylist())  # fmt: skip
    with place(out) as file:
        file.write(text.getvalue().encode())
    console.print(f"Wrote {plural(len(found), 'row')}: {out}", markup=False, highlight=False, soft_wrap=True)


def _speak(found: pa.Table, options: dict[str, Any]) -> None:
    """Have the words said that are no keyword and do not sound the same as one."""
    from hardneg.progress import for_console
    from hardneg.words import Voices, speak

    same = {row["word"] for row in found.to_pylist() if row["distance"] == 0}
    words = [word for word in dict.fromkeys(found.column("word").to_pylist()) if word not in same]
    voices = Voices(tuple(one.strip() for one in options["voices"].split(","))) if options["voices"] else Voices()
    keywords = list(dict.fromkeys(found.column("keyword").to_pylist()))
    progress, overwrite = for_console(console), options["overwrite"]
    made = speak(words, options["speak"], voices, unlike=keywords, overwrite=overwrite, progress=progress)
    left = sorted(same | set(made.left_out))
    said = f" Left out where they sound the same as a keyword: {', '.join(left)}." if left else ""
    console.print(
        f"Wrote {plural(made.sounds, 'sound')}: {made.table}.{said} "
        "They are synthetic: for training, never for a test.",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
