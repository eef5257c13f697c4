"""Refreshing in a Lightning training, whichever of its two packages is installed.

trainer = Trainer(callbacks=[LightningRefresh(refresher)], max_epochs=3)
trainer.fit(module, DataLoader(Pairs(refresher), batch_size=64, shuffle=True))
"""

from __future__ import annotations

import logging
from typing import Any

from hardneg.notation import require
from hardneg.online.refresh import Refresh, Refresher

try:
    from lightning.pytorch import Callback as LightningBase
except ModuleNotFoundError:
    try:
        from pytorch_lightning import Callback as LightningBase
    except ModuleNotFoundError:
        LightningBase = object  # then nobody calls it

__all__ = ["LightningRefresh"]

_log = logging.getLogger(__name__)


class LightningRefresh(LightningBase):  # type: ignore[misc]
    """Refreshes the negatives of a Lightning training between epochs, or every so many steps.

    Its state is part of the checkpoints. Figures go to the trainer's loggers. Batch samplers of one's own need
    ``Trainer(use_distributed_sampler=False)``.

    Args:
        refresher: what mines; its model is the module, or a part of it.
        every: after how many steps; at the end of each epoch if not given.
    """

    def __init__(self, refresher: Refresher, *, every: int | None = None) -> None:
        require(every is None or every >= 1, "every", "at least 1", every)
        super().__init__()
        self._refresher, self._every, self._last = refresher, every, 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Mine before the first step."""
        begins = trainer.global_step == 0 and not self._refresher.fresh
        if begins or not self._refresher.ready:
            self._told(trainer, self._refresher.refresh(trainer.global_step))
            if self._refresher.background is not None:
                self._refresher.start(trainer.global_step)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Refresh where the step is due; once, also where gradients are accumulated."""
        due = self._every is not None and trainer.global_step and trainer.global_step % self._every == 0
        if due and trainer.global_step != self._last:
            self._last = trainer.global_step
            self._told(trainer, self._refresher.advance(trainer.global_step))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Refresh between two epochs."""
        if self._every is None and not _is_last(trainer):
            self._told(trainer, self._refresher.advance(trainer.global_step))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Drop what is in the background."""
        self._refresher.cancel()

    def state_dict(self) -> dict[str, Any]:
        """For Lightning's checkpoints."""
        return self._refresher.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From Lightning's checkpoints."""
        self._refresher.load_state_dict(state_dict)

    def _told(self, trainer: Any, done: Refresh | None) -> None:
        if done is None:
            return
        _log.info("%s", done)
        for logger in trainer.loggers:
            logger.log_metrics(done.figures(), step=trainer.global_step)


def _is_last(trainer: Any) -> bool:
    return trainer.max_epochs is not None and 0 <= trainer.max_epochs <= trainer.current_epoch + 1
