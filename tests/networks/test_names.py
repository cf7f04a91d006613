"""Old names of arguments are accepted, with a warning; both at once are not."""

from dataclasses import replace

import pytest

from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    TrainingConfig,
    sample,
    sample_replicates,
)


def model() -> LearnedDiffusion:
    return LearnedDiffusion(MLP(2, 8), DiffusionProcess(10), (2,))


@pytest.mark.parametrize(
    ("old", "call"),
    [
        ("steps", lambda: DiffusionProcess(steps=7).diffusion_steps == 7),
        ("beta_small", lambda: DiffusionProcess(5, beta_small=1e-3).betas[0] == 1e-3),
        ("beta_large", lambda: DiffusionProcess(5, beta_large=0.1).betas[-1] == 0.1),
        ("prediction_type", lambda: DiffusionProcess(5, prediction_type="v").prediction == "v"),
        ("max_steps", lambda: TrainingConfig(max_steps=7).total_steps(1000) == 7),
        ("max_steps", lambda: replace(TrainingConfig(), max_steps=7).training_steps == 7),
        ("steps", lambda: len(model().sample(3, steps=2)) == 3),
        ("steps", lambda: len(sample(MLP(2, 8), DiffusionProcess(9), 3, (2,), steps=2)) == 3),
        ("steps", lambda: len(sample_replicates([model()], 3, generators=[0], steps=2)) == 1),
        ("steps", lambda: DiffusionProcess(8).steps == 8),
        ("prediction_type", lambda: DiffusionProcess(8).prediction_type == "epsilon"),
        ("max_steps", lambda: TrainingConfig(training_steps=3).max_steps == 3),
    ],
)
def test_old_names(old: str, call) -> None:
    with pytest.warns(DeprecationWarning, match=rf"(argument|attribute) {old} is called \w+ now"):
        assert call()


def test_the_warning_points_at_the_caller() -> None:
    with pytest.warns(DeprecationWarning, match="called diffusion_steps") as caught:
        DiffusionProcess(steps=7)
    assert caught[0].filename == __file__


def test_both_names_at_once() -> None:
    with pytest.raises(TypeError, match="both diffusion_steps and steps"):
        DiffusionProcess(diffusion_steps=7, steps=7)
    with pytest.raises(TypeError, match="unexpected keyword"):
        DiffusionProcess(step=7)  # type: ignore[call-arg]


def test_positions_stay() -> None:
    """What was given by position means what it meant."""
    process = DiffusionProcess(30, 1e-3, 0.05, "v")
    assert process.config == {
        "diffusion_steps": 30,
        "beta_start": 1e-3,
        "beta_end": 0.05,
        "prediction": "v",
        "beta_schedule": "linear",
    }
    assert TrainingConfig(3, 77).training_steps == 77
    assert TrainingConfig() == TrainingConfig(10, None, 128)
    assert hash(TrainingConfig()) == hash(TrainingConfig())


def test_a_bad_number_is_named_as_it_was_given() -> None:
    with pytest.raises(ValueError, match="sampling_steps is 0"):
        model().sample(1, sampling_steps=0)
    with pytest.raises(ValueError, match="training_steps is 0"):
        TrainingConfig(training_steps=0)
    with pytest.raises(ValueError, match="diffusion_steps is 0"):
        DiffusionProcess(0)
    with pytest.raises(ValueError, match="prediction is 'score'"):
        DiffusionProcess(prediction="score")  # type: ignore[arg-type]
