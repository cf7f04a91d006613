"""How long a network is trained: epochs or optimiser steps, never both; defaults by study."""

import pytest

from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.steps import NeuralStepsOptions


def test_the_published_length_is_ten_epochs() -> None:
    options = NeuralOptions()
    assert (options.epochs, options.training_steps) == (10, None)
    assert options.total_steps(50) == 10
    assert options.total_steps(300) == 30


def test_steps_of_samplers_are_asked_of_a_network_that_is_trained() -> None:
    assert NeuralStepsOptions(model="mlp").total_steps(150) == 2000
    assert NeuralStepsOptions(model="unet").total_steps(150) == 300


@pytest.mark.parametrize("kind", [NeuralOptions, NeuralStepsOptions])
def test_either_way_can_be_given(kind: type[NeuralOptions]) -> None:
    assert kind(epochs=7).total_steps(50) == 7
    assert kind(training_steps=7).total_steps(50) == 7
    assert kind(epochs=10).total_steps(50) == 10  # as given, not the default of the study


@pytest.mark.parametrize("kind", [NeuralOptions, NeuralStepsOptions])
def test_epochs_without_effect_are_refused(kind: type[NeuralOptions]) -> None:
    with pytest.raises(ValueError, match="epochs is 3 and training_steps is 7: the epochs would"):
        kind(epochs=3, training_steps=7)


@pytest.mark.parametrize("kind", [NeuralOptions, NeuralStepsOptions])
def test_a_recorded_configuration_is_read_back(kind: type[NeuralOptions]) -> None:
    for given in ({}, {"epochs": 7}, {"training_steps": 7}):
        made = kind(**given)
        again = kind(epochs=made.epochs, training_steps=made.training_steps)
        assert again == made
