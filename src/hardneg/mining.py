"""START HERE. The whole flow: sources propose, filters judge, the sampler chooses, the ledger closes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardneg import ledger
from hardneg.balance import measured
from hardneg.calibrate import Checked
from hardneg.choosing import FILL, Choice, choose, class_columns, random_items
from hardneg.context import Context, Vectors, encode_both, reference_scores
from hardneg.decided import decided
from hardneg.decisions import Decision
from hardneg.encode import EmbeddingCache, Encoder, PairScoreCache, make_encoder
from hardneg.errors import OptionError
from hardneg.filters import Calibrated, Filter, Gather
from hardneg.judging import Judge, judge_rows
from hardneg.labels import classes_of
from hardneg.plane import places_of
from hardneg.positives import Positives
from hardneg.preparing import minable, primary_vectors
from hardneg.progress import Progress, Silent
from hardneg.ragged import IntArray
from hardneg.run import Run, media_of, refuse_existing, rows_of
from hardneg.samplers import Sampler
from hardneg.sources import Source
from hardneg.steps import Steps, united, usual_encoder, usual_filters, usual_sampler, usual_sources, why_usual
from hardneg.table import Relation, Rows, candidates_table
from hardneg.writing import RunWriter, in_use

__all__ = ["Settings", "mine", "refilter"]

# Anchors in one file of candidates, so what a stopped run loses at most. Part of the format, not an option.
PART = 2048
# What a manifest says that other filters and samplers do not change.
_KEPT = (
    "encoder", "inputs", "data", "skipped", "noted", "clusters", "labels", "predictions", "label_errors", "errors",
    "heard", "decisions", "calibrated", "frontier",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Where things are kept and how work is shown. Nothing here changes what is mined.

    Args:
        embeddings: where vectors are kept between runs; None keeps none.
        pair_scores: where a judge's scores are kept between runs; None keeps none.
        progress: who is told how the work goes.
        overwrite: replace an existing run.
        provenance: written into the manifest as it is (files, rows skipped while reading).
    """

    embeddings: EmbeddingCache | None = None
    pair_scores: PairScoreCache | None = None
    progress: Progress = field(default_factory=Silent)
    overwrite: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)


def mine(
    positives: Positives,
    *,
    sources: str | Source | Sequence[str | Source] | None = None,
    filters: str | Filter | Sequence[str | Filter] | None = None,
    sampler: str | Sampler | Sequence[str | Sampler] | None = None,
    encoder: str | Encoder | Vectors | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    settings: Settings | None = None,
) -> Run:
    """Mine hard negatives, and account for every candidate.

    Args:
        positives: who is positive for whom, with texts where steps need them.
        sources: where candidates come from. Several are united and their ranks fused. The neighbours if not given, or
            the mistakes of a detector where the items are some.
        filters: what judges them, in order; the first that fires gives the reason. ``known`` and
            ``duplicates`` always take part.
        sampler: one of top, band, tempered and uniform, with quotas and caps as wanted. The eight hardest if not
            given, or of a detector's mistakes as many as the category has boxes.
        encoder: gives the primary similarity, the ``score`` of every candidate; WordLlama if not given. Vectors do
            as well, and are not needed where ``neighbors`` brings its own.
        seed: the only source of randomness.
        out: the run directory; a temporary one if not given. A stopped run goes on where it was.
        settings: caches, progress and the like.

    Raises:
        OptionError: a step is wrong.
        InputError: the data are wrong.
        RunError: ``out`` exists already, or is an unfinished run of something else.

    >>> import numpy as np
    >>> from hardneg.collection import Collection
    >>> from hardneg.sources import Neighbors
    >>> vectors = np.array([[1, 0], [1, 1], [2, 3], [0, 1]], np.float32)
    >>> judged = Positives.from_pairs(["q"], ["a"], items=Collection.of(["a", "b", "c", "d"]))
    >>> run = mine(judged, sources=Neighbors(vectors[:1], vectors), sampler="top(n=2)")
    >>> run.negatives.column("item").to_pylist(), run.ledger["sampled"]
    (['b', 'c'], 2)
    """
    settings = settings or Settings()
    clock = ledger.Clock()
    source = united(usual_sources(positives) if sources is None else sources)
    filters = usual_filters(positives) if filters is None else filters
    sampler = usual_sampler(positives) if sampler is None else sampler
    steps = Steps.parse(source, filters, sampler)
    steps = steps.suited(labels=positives.classes is not None)
    why = why_usual(steps, positives)
    encoder = usual_encoder(positives) if encoder is None else encoder
    class_columns(steps.plan, positives.classes)  # now rather than after the search, if there are none
    path, keep = _directory(out)
    refuse_existing(path, settings.overwrite)
    with clock.stage("encode"):
        vectors = primary_vectors(source, positives, lambda: _vectors(encoder, positives, settings))
    positives, active, skipped = minable(positives, vectors)
    inputs = ledger.inputs(positives, vectors)
    fingerprint = ledger.fingerprint(steps.texts(), seed, {**inputs, "part": PART})
    writer = RunWriter(path, fingerprint, overwrite=settings.overwrite)
    if why:
        settings.progress.say(f"The usual filters: {why}.")
    if writer.resumed:
        settings.progress.say(f"Going on with '{writer.partial}': {writer.resumed} parts are done.")
    context = Context(positives, vectors, seed, settings.embeddings, settings.pair_scores, settings.progress, active)
    with clock.stage("prepare"), writer.clearing_up():
        judge = Judge(source, steps, context)
    with clock.stage("mine"), settings.progress.stage("mine", len(active), "anchors") as report:
        for number, (name, anchors) in enumerate(_blocks(active)):
            if not writer.has(name):
                _add(writer, name, *judge.candidates(anchors), positives=positives, steps=steps)
            report(number * PART + len(anchors), len(active))
    with clock.stage("sample"):
        for name in writer.names:
            if name.startswith(FILL):  # what fills up short anchors depends on all the other parts
                writer.forget(name)
        choice = choose(writer, steps, positives, seed)
        if steps.plan.chooser.on_short == "fill" and choice.lacking[active].any():
            _fill_up(writer, judge, context, steps, choice, active)
            choice = choose(writer, steps, positives, seed)
    with clock.stage("write"):
        scores = {name: vectors.pairs(one.rows(), one.values) for name, one in positives.lists().items()}
        writer.tables(positives, scores, choice.used)
        writer.plane(places_of(vectors, in_use(positives, choice.used)))
        writer.hidden(context.hidden, positives)
        writer.negatives(choice.negatives)
    about = {
        "encoder": _name(encoder, source),
        "inputs": inputs,
        **media_of(positives.items, path),
        **({} if positives.classes is None else {"labels": positives.classes.about()}),
        **context.notes,
        **settings.provenance,
        **({"filters_chosen": why} if why else {}),
        "skipped": [*settings.provenance.get("skipped", []), *skipped],
        **_checked(writer, steps, context.notes),
    }
    manifest = ledger.manifest(steps, seed, about, choice.counts, len(choice.negatives), writer.parts)
    manifest["shortage"] = ledger.shortage(choice.lacking, positives, steps.plan.chooser)
    sides, pool = (positives.anchors, positives.items), in_use(positives, choice.used)
    manifest["balance"] = measured(choice.negatives, sides, positives.classes, pool, manifest["ledger"], choice.doubted)
    return replace(writer.finish(manifest, clock.report()), _keep=keep)


def refilter(
    run: Run,
    *,
    filters: str | Filter | Sequence[str | Filter] | None = None,
    sampler: str | Sampler | Sequence[str | Sampler] | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    settings: Settings | None = None,
    decisions: Sequence[Decision] | None = None,
) -> Run:
    """Judge and sample a run's candidates anew: no search, no encoding, seconds.

    What is not given stays as it was. With ``on_short=fill`` short anchors take what is kept, but no new random items.
    ``decisions`` are the run's own where none are given, made in a review: what they call positive or ignored is
    dropped, and a known negative is no suspect.

    Raises:
        OptionError: a filter needs a model's evidence that the run does not hold, or holds of another encoder.
        RunError: ``out`` exists already.
    """
    settings = settings or Settings()
    clock = ledger.Clock()
    old = run.manifest
    steps = Steps.of_run(old, filters, sampler)
    seed = old["seed"] if seed is None else seed
    said = decided(run, decisions)
    positives = run.positives if said is None else said.positives
    scores = run.positive_scores if said is None else said.scores["positive"]
    references = reference_scores(positives.positive, lambda anchors, items: scores)  # noqa: ARG005
    gather = [(one, one.gather(Context(positives, None)) if not one.needs_model else None) for one in steps.filters]
    for one in steps.filters:
        one.check_stored(old)
    path, keep = _directory(out)
    origin = {"steps": old["steps"], "parts": old["parts"]} | ({} if said is None else {"decisions": said.mark})
    writer = RunWriter(path, ledger.fingerprint(steps.texts(), seed, origin), overwrite=settings.overwrite)
    with clock.stage("judge"), settings.progress.stage("judge", len(old["parts"]), "parts") as report:
        for number, (name, part) in enumerate(zip(run.part_names(), run.parts(), strict=True)):
            rows, _ = rows_of(part, run.anchors, run.items, old["source_names"])
            rows = rows if said is None else said.relations(rows)
            for one, function in gather:
                rows = _with_evidence(rows, one, function)
            _add(writer, name, *judge_rows(rows, steps, references), positives=positives, steps=steps)
            report(number + 1, len(old["parts"]))
    with clock.stage("sample"):
        classes = classes_of(run)
        choice = choose(writer, steps, replace(positives, classes=classes), seed)
    if said is None:
        writer.copy_tables(run)
    else:
        writer.tables(positives, said.scores, np.ones(len(run.items), bool))
    writer.copy_more(run)
    writer.negatives(choice.negatives)
    kept = {k: v for k, v in old.items() if k in _KEPT} | ({} if said is None else {"decisions": dict(said.counts)})
    kept |= media_of(run.items, path) | _checked(writer, steps, kept, run)
    manifest = ledger.manifest(steps, seed, kept, choice.counts, len(choice.negatives), writer.parts)
    manifest["shortage"] = ledger.shortage(choice.lacking, positives, steps.plan.chooser)
    sides, pool = (run.anchors, run.items), np.ones(len(run.items), bool)
    manifest["balance"] = measured(choice.negatives, sides, classes, pool, manifest["ledger"], choice.doubted)
    return replace(writer.finish(manifest, clock.report()), _keep=keep)


def _vectors(encoder: str | Encoder | Vectors, positives: Positives, settings: Settings) -> Vectors:
    if isinstance(encoder, Vectors):
        return encoder
    return encode_both(make_encoder(encoder), positives, settings.embeddings, settings.progress)


def _name(encoder: str | Encoder | Vectors, source: Source) -> str:
    brought = getattr(source, "anchors", None) is not None
    return "vectors" if brought or isinstance(encoder, Vectors) else str(encoder)


def _blocks(active: IntArray) -> list[tuple[str, IntArray]]:
    return [(f"{start // PART:05d}", active[start : start + PART]) for start in range(0, len(active), PART)]


def _fill_up(
    writer: RunWriter, judge: Judge, context: Context, steps: Steps, choice: Choice, active: IntArray
) -> None:  # fmt: skip
    """Give each part with short anchors a part of random items for them."""
    positives = context.positives
    more = random_items(context, 8 * steps.plan.chooser.n + 64, steps)
    for name, anchors in _blocks(active):
        short = anchors[choice.lacking[anchors] > 0]
        if len(short):
            part, _ = rows_of(writer.read(name), positives.anchors, positives.items, steps.source_names)
            _add(writer, FILL + name, *judge.judged(more(short, part)), positives=positives, steps=steps)


def _add(writer: RunWriter, name: str, rows: Rows, reasons: list[str], *, positives: Positives, steps: Steps) -> None:
    table = candidates_table(rows, positives.anchors, positives.items, steps.source_names, reasons)
    writer.add(name, table)


def _with_evidence(rows: Rows, one: Filter, gather: Gather | None) -> Rows:
    missing = [name for name in one.evidence if name not in rows.columns]
    if not missing:
        return rows
    if gather is None:
        raise OptionError(f"'{one}' needs evidence that the run does not hold. Run 'hardneg mine' with this filter.")
    return rows.having(**gather(rows))


def _checked(
    writer: RunWriter, steps: Steps, notes: Mapping[str, Any], before: Run | None = None
) -> dict[str, Any]:  # fmt: skip
    """What was learnt, with what judged candidates say of it; ``before`` is the run before they were judged."""
    learnt = notes.get("calibrated")
    rate = next((one.false_negatives for one in steps.filters if isinstance(one, Calibrated)), None)
    if not learnt or "fallback" in learnt or rate is None:
        return {}
    total = Checked()
    for name in writer.names:
        columns = ["relation", "false_negative_rate", "positive_probability"]
        part = {one: values.to_numpy() for one, values in zip(columns, writer.read(name, columns).columns, strict=True)}
        fresh = None
        if before is not None:
            fresh = before.part(name).column("relation").to_numpy() != Relation.POSITIVE
            fresh &= part["relation"] == Relation.POSITIVE
        total += Checked.of(part, rate, fresh)
    judged = total.about(rate)
    return {
        "calibrated": {**{k: v for k, v in learnt.items() if k != "judged"}, **({"judged": judged} if judged else {})}
    }


def _directory(out: str | Path | None) -> tuple[Path, object]:
    if out is not None:
        return Path(out), None
    keep = tempfile.TemporaryDirectory(prefix="hardneg-")
    return Path(keep.name) / "run", keep
