"""``hardneg impact``: did mining help, at an equal budget, with intervals?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hardneg.cli._common import console, page_of, run_argument, say_plainly, table
from hardneg.encode import EmbeddingCache, default_cache_dir
from hardneg.errors import OptionError
from hardneg.impact.against import split_names
from hardneg.impact.called import Called
from hardneg.impact.finetune import FineTuning
from hardneg.impact.front import measure_impact
from hardneg.impact.lesson import Budget
from hardneg.impact.listened import measure_heard
from hardneg.impact.probe import Probe
from hardneg.impact.result import Result
from hardneg.impact.task import KINDS
from hardneg.impact.work import DOSES, Learner, Plan
from hardneg.progress import for_console
from hardneg.run import Run

__all__ = ["command"]

_PATH = click.Path(path_type=Path)


@click.command(short_help="Prove whether mining helped.")
@run_argument
@click.option(
    "--before", type=_PATH, help="Of folders of hardneg listen: that of the old detector; RUN is the new one's."
)
@click.option(
    "--against",
    multiple=True,
    help="What else: naive (if not given), a filter, a run's folder; commas between.",
)
@click.option("--task", type=click.Choice(KINDS), help="What is learnt; else seen from the data.")
@click.option("--model", help="Fine-tune this sentence-transformers model, instead of the probe.")
@click.option("--train", metavar="module:function", help="Your own training, instead of the probe.")
@click.option("--seeds", default=5, show_default=True, help="Trainings of each arm.")
@click.option("--steps", type=int, help="Steps of each training; ten times through the anchors if not given.")
@click.option("--batch", default=64, show_default=True, help="Anchors in a batch.")
@click.option("--negatives", default=4, show_default=True, help="Negatives that an anchor brings to a batch.")
@click.option(
    "--folds", type=int, help="Parts held out in turn, where the data hold none out: 5 for the probe, else 1."
)
@click.option("--held-out-split", metavar="SPLIT", help="The split to judge by; else test, or parts are drawn.")
@click.option("--no-dose", is_flag=True, help="Leave the dose curve out.")
@click.option("--seed", default=0, show_default=True, help="The only source of randomness.")
@click.option("-o", "--out", type=_PATH, help="The file to write; impact.json in the run if not given.")
@click.option("--cache", type=_PATH, help="Where vectors are kept between runs.")
@click.option("--no-cache", is_flag=True, help="Keep no vectors between runs.")
@click.pass_context
def command(ctx: click.Context, /, run: Path, **options: Any) -> None:
    """Train the same model under the same budget with the negatives of RUN, with random ones and with none.

    Judged on held-out data, with intervals over queries or people and over seeds. The probe, a small head on the
    frozen vectors, takes seconds. What came of it is in impact.json and in the report.

    \b
        hardneg impact runs/a
        hardneg impact runs/a --against naive,runs/b,"margin(relative=0.05, reference=max)"
        hardneg impact runs/a --train training.py:train --seeds 3
        hardneg impact heard-after --before heard-before
    """  # noqa: D301 - click's own mark for text that keeps its lines
    if options["before"]:
        _refuse_others(ctx)
        compared, notes = measure_heard(options["before"], run, seed=options["seed"], progress=for_console(console))
        for said in (*(one.sentence for one in compared), *notes):
            say_plainly(said)
        say_plainly(f"\nWrote {run / 'impact.json'}, shown in {run / 'impact.html'}")
        return
    learner = _learner(options)
    plan = Plan(
        seeds=options["seeds"],
        budget=Budget(options["steps"], options["batch"], options["negatives"]),
        doses=() if options["no_dose"] else DOSES,
        seed=options["seed"],
        folds=options["folds"],
    )
    cache = None if options["no_cache"] else EmbeddingCache((options["cache"] or default_cache_dir()) / "vectors")
    found = Run.open(run)
    result = measure_impact(
        found,
        against=[name for text in options["against"] or ("naive",) for name in split_names(text)],
        learner=learner,
        task=options["task"],
        plan=plan,
        held_out=options["held_out_split"],
        cache=cache,
        out=options["out"],
        progress=for_console(console),
    )
    _say(result)
    page = "" if options["out"] else f", shown in {page_of(found)}"
    say_plainly(f"\nWrote {options['out'] or found.path / 'impact.json'}{page}")


def _refuse_others(ctx: click.Context) -> None:
    """Listenings are compared as they are, so other options would be asked for in vain."""
    given = [
        f"--{name.replace('_', '-')}"
        for name in ctx.params
        if name not in ("run", "before", "seed") and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise OptionError(f"Listenings are compared as they are: --before goes without {', '.join(given)}.")


def _learner(options: dict[str, Any]) -> Learner:
    if options["model"] and options["train"]:
        raise OptionError("Give either a model to fine-tune (--model) or your own training (--train).")
    if options["train"]:
        return Called(options["train"])
    return FineTuning(options["model"]) if options["model"] else Probe()


def _say(result: Result) -> None:
    held_out = result.held_out
    say_plainly(f"\n{result.kind.capitalize()}; held out: {held_out['how']}. {held_out['train']:,} to train with.")
    shown = result.measures[:4]
    verdicts = {one.against: one for one in result.comparisons}
    rows = []
    for arm in result.arms:
        figures = [f"{arm.mean[at]:.3f} ({arm.low[at]:.3f}-{arm.high[at]:.3f})" for at in range(len(shown))]
        one = verdicts.get(arm.name)
        told = "" if one is None else f"{one.verdict}, p={one.p_holm:.3f}"
        rows.append((arm.name, *figures, told))
    head = ("negatives", *(f"{one.name}{'' if one.better > 0 else ' (less is better)'}" for one in shown), "the run")
    console.print(table("Held out, means over seeds, 95% intervals", head, rows))
    say_plainly(result.sentence)
    for note in result.told.notes:
        say_plainly(f"- {note}")
