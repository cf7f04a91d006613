"""Audits within Lightning's training loop."""

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, TensorDataset

from ornstein.studies.neural.audit_callback import AuditCallback


class Shifted(LightningModule):
    """Learns one number; generates the training points with noise of that size."""

    def __init__(self, points: torch.Tensor) -> None:
        super().__init__()
        self.points = points
        self.size = torch.nn.Parameter(torch.ones(1))

    def training_step(self, batch, _index):
        return (self.size**2).sum() + 0 * batch[0].sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.25)


@pytest.mark.filterwarnings("ignore")
def test_reports_through_training(tmp_path) -> None:
    rng = np.random.default_rng(0)
    train, held_out = rng.standard_normal((60, 8)), rng.standard_normal((60, 8))
    module = Shifted(torch.from_numpy(train))
    modes = []

    def generate(model: Shifted) -> np.ndarray:
        modes.append((model.training, torch.is_grad_enabled()))
        noise = 3 * float(model.size.detach()) * rng.standard_normal(train.shape)
        return train + noise

    callback = AuditCallback(
        train, held_out, generate, every_n_epochs=2, looks=2, alpha=0.1, random_state=1
    )
    trainer = Trainer(
        max_epochs=7,
        callbacks=[callback],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, DataLoader(TensorDataset(torch.from_numpy(train).float()), 60))
    labels = [look.label for look in callback.looks.history]
    assert labels == ["epoch 2", "epoch 4"]
    assert modes == [(False, False)] * 2
    assert module.training
    first, second = (look.report for look in callback.looks.history)
    assert first.alpha == 0.05
    assert second.train_share > first.train_share
    assert second.verdict == "copies"
    assert trainer.callback_metrics["audit_train_share"] == pytest.approx(second.train_share)
    assert trainer.callback_metrics["audit_copies"] == len(second.copies)
