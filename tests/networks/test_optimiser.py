"""What one training and many replicates share: clipping, averages, mean losses, histories."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ornstein.networks import TrainingConfig
from ornstein.networks.training.averaging import averaging_weight, move_averages
from ornstein.networks.training.history import EpochLosses, History
from ornstein.networks.training.optimiser import adam, clip_gradients

SHAPES = [(64, 16), (64,), (3, 5, 3, 3), (1,), ()]


def with_gradients(scale: float, first: tuple[int, ...] = ()) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.randn((*first, *shape))) for shape in SHAPES]
    for p in parameters:
        p.grad = scale * torch.randn_like(p)
    return [*parameters, nn.Parameter(torch.zeros(2))]


@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_clipping_is_that_of_torch_bit_by_bit(scale: float) -> None:
    ours = with_gradients(scale)
    theirs = [nn.Parameter(p.detach().clone()) for p in ours]
    for p, q in zip(ours, theirs, strict=True):
        q.grad = None if p.grad is None else p.grad.clone()
    clip_gradients(ours, 0.5)
    nn.utils.clip_grad_norm_(theirs, 0.5)
    for p, q in zip(ours, theirs, strict=True):
        assert (p.grad is None) == (q.grad is None)
        assert p.grad is None or torch.equal(p.grad, q.grad)


def test_stacked_networks_are_clipped_one_by_one() -> None:
    stacked = with_gradients(1.0, (3,))
    for p in stacked[:-1]:
        p.grad[1] *= 1e-4  # one network whose gradient is small enough
    alone = [[p.grad[k].clone() for p in stacked[:-1]] for k in range(3)]
    clip_gradients(stacked, 0.5, stacked=True)
    for k, gradients in enumerate(alone):
        parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
        for p, gradient in zip(parameters, gradients, strict=True):
            p.grad = gradient.clone()
        nn.utils.clip_grad_norm_(parameters, 0.5)
        for p, q in zip(stacked[:-1], parameters, strict=True):
            torch.testing.assert_close(p.grad[k], q.grad, rtol=1e-6, atol=0)
        clipped = not torch.equal(stacked[0].grad[k], gradients[0])
        assert clipped == (k != 1)


def test_averages_move_as_they_say() -> None:
    weights = torch.randn(6, 4)
    average = [weights[0].clone()]
    expected = weights[0].double()
    for update in range(2, 7):
        move_averages(average, [weights[update - 1]], 0.3, update)
        move = 1 - min(0.3, update / (9 + update))
        expected = expected + move * (weights[update - 1].double() - expected)
        assert averaging_weight(0.3, update) == move
    torch.testing.assert_close(average[0].double(), expected, rtol=1e-6, atol=1e-6)


def test_mean_losses_weigh_images_alike() -> None:
    losses = EpochLosses()
    losses.add("train_loss", torch.tensor([1.0, 10.0]), 3)
    losses.add("train_loss", torch.tensor([2.0, 20.0]), 1)
    losses.add("validation_loss", torch.tensor([5.0, 50.0]), 2)
    assert losses.close() == {"train_loss": [1.25, 12.5], "validation_loss": [5.0, 50.0]}
    assert losses.close() == {}


def test_mean_losses_go_on_from_a_checkpoint() -> None:
    losses, again = EpochLosses(), EpochLosses()
    losses.add("train_loss", torch.tensor(0.1), 3)
    state = losses.state_dict()
    assert state == {"train_loss": pytest.approx(0.3), "train_loss_count": 3}
    again.load_state_dict(state)
    for each in (losses, again):
        each.add("train_loss", torch.tensor(0.7), 5)
    assert again.close() == losses.close()


def test_a_history_has_one_row_for_each_step(tmp_path: Path) -> None:
    history = History(tmp_path / "deep" / "history.csv")
    history.note(3, {"a": 1})
    history.note(3, {"b": 2})
    history.note(5, {"b": 7})
    history.write()
    assert history.rows == [{"step": 3, "a": 1.0, "b": 2.0}, {"step": 5, "b": 7.0}]
    assert (tmp_path / "deep" / "history.csv").read_text() == "step,a,b\n3,1.0,2.0\n5,,7.0\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["history.csv"]


def test_adam_is_fused_where_gradients_are_not_scaled() -> None:
    parameters = [nn.Parameter(torch.zeros(2))]
    for precision, fused in (("32-true", True), ("bf16-mixed", True), ("16-mixed", False)):
        optimizer = adam(parameters, TrainingConfig(precision=precision, learning_rate=0.25))
        assert optimizer.defaults["fused"] == fused
        assert optimizer.defaults["lr"] == 0.25
