"""Refreshing, and states that survive, in the trainers of Hugging Face, that of sentence-transformers among them.

    trainer = SentenceTransformerTrainer(
        model=model, train_dataset=as_dataset(refresher), loss=loss, args=arguments,
        callbacks=[RefreshCallback(refresher), KeepState(sampler=lambda: sampling.sampler)],
    )

Lightning has :mod:`hardneg.online.lightning`. In a loop of your own, call ``refresher.advance(step)`` where you want
it, and save its ``state_dict``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardneg.errors import RunError
from hardneg.notation import require
from hardneg.online._states import load_state, save_state
from hardneg.online.refresh import Refresh, Refresher

try:
    from transformers import TrainerCallback
except ModuleNotFoundError:
    TrainerCallback = object

__all__ = ["KeepState", "RefreshCallback"]

_log = logging.getLogger(__name__)
Log = Callable[[dict[str, float]], Any]


class KeepState(TrainerCallback):  # type: ignore[misc]
    """Keeps things with a ``state_dict`` in the checkpoints of a Hugging Face trainer, and puts them back.

    A queue, a thermostat, a monitor, a sampler: what is not part of the model is lost from its checkpoints otherwise.

    Args:
        resume_from: the checkpoint that the training resumes from, if it is not ``checkpoint-<step>`` in the output
            directory.
        things: by name; a function, called when it is needed, for one that is made later.

    Raises RunError where the training resumes from a checkpoint that lacks the state.
    """

    file = "hardneg-state.safetensors"

    def __init__(self, resume_from: str | Path | None = None, **things: Any) -> None:
        self._resume_from, self._things = resume_from, things

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Write the states beside the checkpoint."""
        found = {name: one.state_dict() for name, one in self._now().items()}
        if state.is_world_process_zero:
            save_state(found, _checkpoint(args, state) / self.file)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Read them where the training resumes."""
        if not state.global_step:
            return
        folder = _checkpoint(args, state) if self._resume_from is None else Path(self._resume_from)
        found = load_state(folder / self.file)
        for name, one in self._now().items():
            if name not in found:
                raise RunError(
                    f"The state in '{folder}' lacks '{name}'. Resume from a checkpoint that was saved with it."
                )
            one.load_state_dict(self._fitted(found[name]))

    def _now(self) -> dict[str, Any]:
        return {name: one if hasattr(one, "state_dict") else one() for name, one in self._things.items()}

    @staticmethod
    def _fitted(state: dict[str, Any]) -> dict[str, Any]:
        """The trainer skips batches by itself, so a sampler begins its epoch from the first."""
        return {**state, "batches": 0} if "batches" in state else state


class RefreshCallback(KeepState):
    """Refreshes the negatives of a Hugging Face trainer between epochs, or every so many steps.

    Where the negatives are not those of the model as it is, the first mining is before the first step. None is after
    the last. The negatives are part of the checkpoints, so a resumed training goes on with the same.

    Args:
        refresher: what mines.
        every: after how many steps; at the end of each epoch if not given.
        log: is given the figures of each refresh; they stand in ``trainer.state.log_history`` in any case.
        resume_from: see :class:`KeepState`.
    """

    file = "hardneg-refresh.safetensors"

    def __init__(
        self, refresher: Refresher, *, every: int | None = None, log: Log | None = None,
        resume_from: str | Path | None = None,
    ) -> None:  # fmt: skip
        require(every is None or every >= 1, "every", "at least 1", every)
        super().__init__(resume_from, refresher=refresher)
        self._refresher, self._every, self._log = refresher, every, log

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Mine before the first step; read the negatives where the training resumes."""
        super().on_train_begin(args, state, control, **more)
        if not state.global_step:
            if not self._refresher.fresh:
                self._told(state, self._refresher.refresh(0))
            if self._refresher.background is not None:
                self._refresher.start(0)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Refresh between two epochs."""
        if self._every is None and state.global_step < state.max_steps:
            self._told(state, self._refresher.advance(state.global_step))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Refresh where the step is due."""
        if self._every is not None and state.global_step % self._every == 0 and state.global_step < state.max_steps:
            self._told(state, self._refresher.advance(state.global_step))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Drop what is in the background."""
        self._refresher.cancel()

    def _told(self, state: Any, done: Refresh | None) -> None:
        if done is None:
            return
        _log.info("%s", done)
        state.log_history.append({"step": state.global_step, "epoch": state.epoch, **done.figures()})
        if self._log is not None:
            self._log(done.figures())


def _checkpoint(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"
