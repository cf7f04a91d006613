"""Conversions between the clocks, and the one-step noising."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein import processes
from ornstein.processes import OneStepNoising

noises = st.floats(1e-6, 1e6)
CLOCKS = [
    (processes.time_from_noise, processes.noise_from_time, +1),
    (processes.alpha_bar_from_noise, processes.noise_from_alpha_bar, -1),
    (processes.flow_from_noise, processes.noise_from_flow, +1),
]


@pytest.mark.parametrize(("there", "back", "direction"), CLOCKS)
@given(s=noises, factor=st.floats(1.01, 10))
def test_round_trips_and_order(there, back, direction, s: float, factor: float) -> None:
    # abar and u lose the digits that lie beyond 1 - eps; the error allowed is theirs.
    tolerance = 1e-9 + 1e-15 * (s + 1 / s**2)
    assert float(back(there(s))) == pytest.approx(s, rel=tolerance)
    if 1e-3 < s < 1e4:
        assert direction * (there(s * factor) - there(s)) > 0


@given(t=st.floats(1e-3, 5))
def test_the_clocks_describe_one_process(t: float) -> None:
    """Noise per unit of signal is the same ratio, read off each process."""
    s = float(processes.noise_from_time(t))
    assert s == pytest.approx(np.sqrt(1 - np.exp(-2 * t)) / np.exp(-t), rel=1e-9)
    abar = float(processes.alpha_bar_from_time(t))
    assert np.sqrt((1 - abar) / abar) == pytest.approx(s, rel=1e-9)
    assert processes.time_from_alpha_bar(abar) == pytest.approx(t, rel=1e-9)
    u = float(processes.flow_from_noise(s))
    assert u / (1 - u) == pytest.approx(s, rel=1e-9)


def test_one_step_noising_moments() -> None:
    process = OneStepNoising(time=0.7, noise_scale=0.3)
    x = np.full((200_000, 1), 2.0)
    y = process.noised(x, np.random.default_rng(0))
    v = 0.3 * np.exp(-1.4) * (1 - np.exp(-1.4))
    assert y.mean() == pytest.approx(2 * np.exp(-0.7), abs=5 * np.sqrt(v / 200_000))
    assert y.var() == pytest.approx(v, rel=5 * np.sqrt(2 / 200_000))
    assert process.signal_fraction(1.5) == pytest.approx(
        np.exp(-1.4) * 2.25 / (np.exp(-1.4) * 2.25 + v)
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: OneStepNoising(time=0),
        lambda: OneStepNoising(time=np.nan),
        lambda: OneStepNoising(noise_scale=-1),
        lambda: processes.noise_from_time(-1),
        lambda: processes.noise_from_flow(1.0),
        lambda: processes.noise_from_alpha_bar(0.0),
        lambda: processes.time_from_alpha_bar(1.1),
    ],
)
def test_out_of_range_is_refused(call) -> None:
    with pytest.raises(ValueError, match="expected"):
        call()
