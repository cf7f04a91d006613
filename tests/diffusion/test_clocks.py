"""Conversions between the clocks, and the one-step noising."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein import processes
from ornstein.diffusion.one_step_noising import signal_fraction
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


EXACT = {
    "noise_from_time": lambda t: mpmath.sqrt(mpmath.expm1(2 * t)),
    "time_from_noise": lambda s: mpmath.log1p(s**2) / 2,
    "noise_from_alpha_bar": lambda a: mpmath.sqrt((1 - a) / a),
    "alpha_bar_from_noise": lambda s: 1 / (1 + s**2),
    "noise_from_flow": lambda u: u / (1 - u),
    "flow_from_noise": lambda s: s / (1 + s),
    "time_from_alpha_bar": lambda a: -mpmath.log(a) / 2,
    "alpha_bar_from_time": lambda t: mpmath.exp(-2 * t),
}


@pytest.mark.parametrize("name", EXACT)
def test_conversions_over_all_of_float64(name: str) -> None:
    """Against 400 digits, from the smallest to the largest number of each domain."""
    largest = {"time": 709.0, "noise": 1.7e308}.get(name.split("_from_")[1], 1 - 2**-53)
    grid = np.append(np.geomspace(1e-300, largest, 400), [5e-324, largest])
    found = getattr(processes, name)(grid)
    with mpmath.workdps(400):
        exact = np.array([float(EXACT[name](mpmath.mpf(float(x)))) for x in grid])
    # t enters as e^{-2t}: its own rounding is multiplied by 2t.
    tolerance = 1e-15 + 3e-16 * (2 * grid if name == "alpha_bar_from_time" else 0)
    assert (np.abs(found - exact) <= tolerance * exact + 5e-324).all()


def test_long_times() -> None:
    assert processes.alpha_bar_from_time(1e308) == 0
    assert OneStepNoising(time=350).noise_variance > 0
    for call in (lambda: processes.noise_from_time(710.0), lambda: OneStepNoising(time=351)):
        with pytest.raises(ValueError, match="expected at most"):
            call()


def test_signal_fraction_over_the_parameter_range() -> None:
    T = np.array([1e-12, 1e-3, 2.0, 40.0, 1e9])[:, None, None]
    scale = np.array([0.0, 1e-200, 1e-3, 1.0, 1e200])[:, None]
    std = np.array([1e-200, 1e-3, 1.0, 7.0, 1e200])
    found = signal_fraction(T, scale, std)
    assert found.shape == (5, 5, 5)
    with mpmath.workdps(50):
        for index in np.ndindex(5, 5, 5):
            axes = zip((T, scale, std), index, strict=True)
            t, lam, s = (mpmath.mpf(float(values.flat[i])) for values, i in axes)
            exact = 1 / (1 - lam * mpmath.expm1(-2 * t) / s**2)
            assert found[index] == pytest.approx(float(exact), rel=1e-14, abs=5e-324)
    assert signal_fraction(2.0, 1.0, 0.0) == 0
    assert signal_fraction(2.0, 1.0, 3.0) == OneStepNoising(2.0, 1.0).signal_fraction(3.0)


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
