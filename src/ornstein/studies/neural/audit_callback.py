"""Audits of a model while Lightning trains it, one line each."""

from __future__ import annotations

__all__ = ["AuditCallback"]

from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback

from ornstein.memorization.audit_looks import AuditLooks, look_numbers
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike


class AuditCallback(Callback):
    """Audit what a model generates after every so many epochs.

    Numbers are logged as ``audit_train_share``, ``audit_copies`` and so on, with whatever logger
    the trainer has; ``looks`` holds all reports.

    Parameters
    ----------
    train, held_out : array-like of shape (n_points, ...)
        What the model is trained on, and points of the same source that it does not see.
    generate : callable (LightningModule) -> array-like of shape (n_generated, ...)
        Samples of the model as it is now, on the scale of the training set.
    every_n_epochs : int
        Epochs between two audits.
    looks : int
        Audits that are planned: the level is divided among them. When they are used up, no more
        are made.
    **options
        Of :class:`ornstein.memorization.audit_looks.AuditLooks`.

    Raises
    ------
    ValueError
        If a number is below 1.
    """

    def __init__(
        self,
        train: ArrayLike,
        held_out: ArrayLike,
        generate: Callable[[Any], ArrayLike],
        *,
        every_n_epochs: int = 10,
        looks: int = 10,
        **options: Any,
    ) -> None:
        self.looks = AuditLooks(train, held_out, looks, **options)
        self.generate = generate
        self.every_n_epochs = as_count(every_n_epochs, "every_n_epochs")

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Audit, if this epoch is one of those, and a planned look is left."""
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs or len(self.looks.history) >= self.looks.looks:
            return
        import torch

        training = pl_module.training
        pl_module.eval()
        try:
            with torch.no_grad():
                generated = self.generate(pl_module)
        finally:
            pl_module.train(training)
        numbers = look_numbers(self.looks.look(generated, f"epoch {epoch}"))
        for name, value in numbers.items():
            if name != "verdict":
                pl_module.log(f"audit_{name}", float(value))
