"""Real trainers: SentenceTransformerTrainer and Lightning train on negatives that change, and resume bit for bit."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
library = pytest.importorskip("sentence_transformers")
pytest.importorskip("datasets")
from sentence_transformers.sentence_transformer import losses  # noqa: E402
from tests.unit.online.helpdesk import WORDS, hardest, moved, refresher, texts  # noqa: E402
from tests.unit.online.models import arguments, tiny_model  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from hardneg.errors import InputError, OptionError, RunError  # noqa: E402
from hardneg.online.hooks import KeepState, RefreshCallback  # noqa: E402
from hardneg.online.lightning import LightningRefresh  # noqa: E402
from hardneg.online.monitor import Monitor  # noqa: E402
from hardneg.online.pairs import Pairs, as_dataset  # noqa: E402
from hardneg.online.queue import MemoryQueue  # noqa: E402
from hardneg.online.sentence_batches import HardClassSampling  # noqa: E402


def trained(folder: Path, resume: str | None = None, every: int | None = None, **options: Any) -> tuple[Any, Any, Any]:
    """A model trained for two epochs of six steps, its refresher and what the trainer saw."""
    model, seen = tiny_model(WORDS), []
    some = refresher(model, **options)
    some.refresh()
    callback = RefreshCallback(some, every=every)
    trainer = library.SentenceTransformerTrainer(
        model=model, train_dataset=as_dataset(some), loss=losses.MultipleNegativesRankingLoss(model),
        callbacks=[callback], args=arguments(folder, save_strategy="steps", save_steps=8),
    )  # fmt: skip
    collate = trainer.data_collator

    def spy(rows: list[dict[str, Any]]) -> Any:
        seen.append((trainer.state.global_step, rows))
        return collate(rows)

    for name in ("valid_label_columns", "tokenize_fn", "prompts", "include_prompt_lengths"):
        if hasattr(collate, name):
            setattr(spy, name, getattr(collate, name))
    trainer.data_collator = spy
    trainer.train(resume_from_checkpoint=resume)
    return trainer, some, seen


def test_a_trainer_sees_the_negatives_of_its_own_model(tmp_path: Path) -> None:
    trainer, some, seen = trained(tmp_path)
    assert [one.step for one in some.records] == [0, 6]  # none after the last step
    assert [one["refresh/number"] for one in trainer.state.log_history if "refresh/number" in one] == [1]
    untrained = hardest(tiny_model(WORDS), some.positives, 3)
    asked, items = texts(24, 1), texts(64, 2)
    first = [rows for step, rows in seen if step < 6]
    for row in (row for rows in first for row in rows):
        expected = [items[one] for one in untrained[asked.index(row["anchor"])]]
        assert [row[f"negative_{at}"] for at in (1, 2, 3)] == expected
    last = {row["anchor"]: [row[f"negative_{at}"] for at in (1, 2, 3)] for _, rows in seen[-6:] for row in rows}
    assert last == {asked[a]: [items[one] for one in some.negatives[a]] for a in range(24)}
    assert 0 < some.records[1].overlap < 1
    assert some.records[1].drift > 0


def test_every_so_many_steps(tmp_path: Path) -> None:
    told: list[dict[str, float]] = []
    model = tiny_model(WORDS)
    some = refresher(model)
    with pytest.raises(InputError, match="no negatives yet"):
        as_dataset(some)
    some.refresh()
    moved(model)  # so the callback mines before the first step
    trainer = library.SentenceTransformerTrainer(
        model=model, train_dataset=as_dataset(some), loss=losses.MultipleNegativesRankingLoss(model),
        callbacks=[RefreshCallback(some, every=4, log=told.append)], args=arguments(tmp_path),
    )  # fmt: skip
    trainer.train()
    assert [one["refresh/step"] for one in told] == [0, 4, 8]
    with pytest.raises(OptionError, match="'every' must be at least 1"):
        RefreshCallback(some, every=0)


@pytest.mark.parametrize(("every", "background"), [(None, None), (3, "cpu")])
def test_a_resumed_training_ends_with_the_same_weights(
    every: int | None, background: str | None, tmp_path: Path
) -> None:  # fmt: skip
    whole, some, _ = trained(tmp_path, every=every, background=background)
    resumed, other, seen = trained(tmp_path, str(tmp_path / "checkpoint-8"), every, background=background)
    assert min(step for step, _ in seen) == 8
    assert torch.equal(some.negatives, other.negatives)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def test_a_checkpoint_without_the_state_is_an_error(tmp_path: Path) -> None:
    kept = KeepState(queue=MemoryQueue(3, 2))
    args, state = SimpleNamespace(output_dir=str(tmp_path)), SimpleNamespace(global_step=4, is_world_process_zero=True)
    with pytest.raises(RunError, match="missing or damaged"):
        kept.on_train_begin(args, state, None)
    (tmp_path / "checkpoint-4").mkdir()
    kept.on_save(args, state, None)
    KeepState(queue=MemoryQueue(3, 2)).on_train_begin(args, state, None)
    KeepState(tmp_path / "checkpoint-4", queue=MemoryQueue(3, 2)).on_train_begin(
        args, SimpleNamespace(global_step=9), None
    )
    with pytest.raises(RunError, match="lacks 'monitor'"):
        KeepState(monitor=Monitor()).on_train_begin(args, state, None)


def on_hard_classes(folder: Path, resume: str | None = None) -> Any:
    datasets = pytest.importorskip("datasets")
    model = tiny_model(WORDS)
    data = datasets.Dataset.from_dict({"text": texts(64, 2), "label": [one % 8 for one in range(64)]})
    sampling = HardClassSampling(items=2, encode=model.encode)
    trainer = library.SentenceTransformerTrainer(
        model=model, train_dataset=data, loss=losses.BatchHardTripletLoss(model),
        args=arguments(folder, batch_sampler=sampling, save_strategy="steps", save_steps=12),
        callbacks=[KeepState(sampler=lambda: sampling.sampler)],
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def test_hard_classes_resume_with_the_neighbours_of_their_epoch(tmp_path: Path) -> None:
    whole = on_hard_classes(tmp_path / "a")
    assert whole.state.global_step == 16
    resumed = on_hard_classes(tmp_path / "a", str(tmp_path / "a" / "checkpoint-12"))  # the middle of the second epoch
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def in_lightning(folder: Path, model: Any, some: Any, callback: Any, resume: str | None = None) -> Any:
    lightning = pytest.importorskip("pytorch_lightning")

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.loss = losses.MultipleNegativesRankingLoss(model)

        def training_step(self, batch: list[dict[str, Any]], index: int) -> Any:
            columns = [model.preprocess([row[name] for row in batch]) for name in Pairs(some).columns]
            return self.loss(columns, None)

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=0.05)

    lightning.seed_everything(0)
    saver = lightning.callbacks.ModelCheckpoint(str(folder), save_top_k=-1, filename="{epoch}")
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        callbacks=[callback, saver], logger=lightning.loggers.CSVLogger(str(folder)), log_every_n_steps=1,
    )  # fmt: skip
    loader = DataLoader(Pairs(some), batch_size=8, collate_fn=list)
    trainer.fit(Module(), loader, ckpt_path=resume)
    return trainer


@pytest.mark.filterwarnings("ignore")  # Lightning's own, of a folder that is not empty
def test_lightning_refreshes_and_resumes(tmp_path: Path) -> None:
    pytest.importorskip("pytorch_lightning")
    model, again = tiny_model(WORDS), tiny_model(WORDS)
    some, other = refresher(model), refresher(again)
    in_lightning(tmp_path, model, some, LightningRefresh(some))
    assert [one.step for one in some.records] == [0, 6, 12]
    found = next(tmp_path.rglob("metrics.csv")).read_text()
    assert "refresh/overlap" in found
    in_lightning(tmp_path / "more", again, other, LightningRefresh(other), str(tmp_path / "epoch=1.ckpt"))
    assert torch.equal(some.negatives, other.negatives)
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_without_lightning_the_hooks_are_the_same(tmp_path: Path) -> None:
    """What Lightning would call, in its order."""

    class Trainer:
        global_step, current_epoch, max_epochs = 0, 0, 2

        def __init__(self) -> None:
            self.loggers = [self]
            self.told: list[tuple[int, dict[str, float]]] = []

        def log_metrics(self, figures: dict[str, float], step: int) -> None:
            self.told.append((step, figures))

    some, trainer = refresher(tiny_model(WORDS)), Trainer()
    hook = LightningRefresh(some, every=2)
    hook.on_train_start(trainer, None)
    for step in (1, 1, 2, 2, 3, 4):  # two batches a step
        trainer.global_step = step
        hook.on_train_batch_end(trainer, None, None, None, 0)
    hook.on_train_epoch_end(trainer, None)
    assert [step for step, _ in trainer.told] == [0, 2, 4]
    assert importlib.util.find_spec("lightning") is None or hook.state_dict()["number"] == 3
