"""Every function of ornstein.theory over its stated domain, to the edges of float64.

Log grids of all arguments at once: results are numbers (infinite only where that is said), with
every warning an error; what lies outside, or is no real number, is refused in one line. A function
that is exported and not listed here fails the first test.
"""

import inspect
import itertools
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from ornstein import theory
from ornstein.theory.linear_denoisers.sampling import SamplerQuality

RESULTS = {
    "ActivationConstants", "BestSteps", "DenoisingLosses", "EarlyStoppingLosses",
    "EarlyStoppingMinimum", "ExpectedDelta", "GuidedMoments", "Membership", "OneStepTheory",
    "RandomFeatureLosses", "RecursiveOneStep", "RecursiveVariance", "SamplerQuality",
    "SubsetLosses", "WishartKL",
}  # fmt: skip

SIZES = [1, 2, 3, 10, 1000, 10**6, 10**12, 10**15]
TRAIN = [2, 3, 4, 5, 10, 11, 12, 13, 14, 30, 1000, 1001, 1002, 10**6, 10**12, 10**15]
NEAR_ONE = [1 - 1e-15, 1 - 1e-9, 1 - 1e-4, 1.0, 1 + 1e-4, 1 + 1e-9, 1 + 1e-15]
RATIOS = [1e-12, 1e-6, 0.01, 0.3, *NEAR_ONE, 1.7, 100.0, 1e6, 1e12]
FRACTIONS = [1e-300, 1e-30, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-9, 1 - 1e-15]
NOISES = [1e-100, 1e-30, 1e-8, 1e-3, 1.0, 1e3, 1e8, 1e30, 1e100]
TIMES = [0.0, 1e-300, 1e-12, 1e-3, 1.0, 1e3, 1e12, 1e300]
WIDE = np.geomspace(1e-300, 1e300, 13)
SPECTRA = [
    [1.0], [1.0, 1.0, 1.0], [3.0, 0.3, 0.3], [1.0, 0.0, 0.0], (10.0 ** -np.arange(13.0)).tolist(),
    [1e-100, 1e100], (1 / np.arange(1.0, 61.0)).tolist(),
]  # fmt: skip
PLAIN = SPECTRA[:5]
ROWS = [
    [[1.0], [2.0], [4.0], [4.0], [-1.0]], [[1.0, 2.0, 0.5, 1.0]] * 5, np.eye(5).tolist(),
    [[1e3, 1e-9], [0.0, 0.0], [1e3, 1e-9], [-1e3, 1e-9], [1e3, -1e-9]],
]  # fmt: skip


class Scan(NamedTuple):
    """Values of the arguments: all combinations; and a call that is fine."""

    grid: dict[str, list[Any]]
    infinite: bool = False
    """Whether a result may be infinite in the domain."""
    whole: tuple[str, ...] = ()
    """Arguments that count."""
    free: tuple[str, ...] = ()
    """Arguments that are no numbers."""
    names: tuple[str, ...] = ()
    """Functions beside the one of the key with the same arguments."""
    one_by_one: tuple[str, ...] | None = ()
    """Arguments that do not broadcast; None for all."""
    most: int = 20_000


SCANS = {
    "one_step": Scan(
        {"dim": SIZES, "n_train": TRAIN, "time": [1e-300, 1e-8, 2.0, 1e300],
         "noise_scale": [0.0, 1e-300, 1e-16, 1e-6, 1.0, 1e8, 1e100], "std": [1e-20, 1.0, 1e140]},
        infinite=True, whole=("dim", "n_train"),
    ),
    "one_step_log_det": Scan(
        {"dim": SIZES, "n_train": TRAIN, "signal_fraction": [*FRACTIONS, 1.0]},
        infinite=True, whole=("dim", "n_train"), names=("one_step_log_affinity",),
    ),
    "one_step_nuclear_norm": Scan(
        {"dim": SIZES, "n_train": TRAIN, "signal_fraction": [*FRACTIONS, 1.0]},
        whole=("dim", "n_train"),
    ),
    "one_step_log_potential": Scan(
        {"t": NOISES, "dim": SIZES, "n_train": TRAIN, "signal_fraction": [*FRACTIONS, 1.0]},
        whole=("dim", "n_train"),
    ),
    "one_step_potential_covariance": Scan(
        {"t": NOISES[::2], "other": NOISES, "dim": SIZES, "n_train": TRAIN,
         "signal_fraction": FRACTIONS},
        whole=("dim", "n_train"),
    ),
    "one_step_spectrum": Scan(
        {"s": [0.0, *WIDE, 1.0, 0.99], "aspect_ratio": RATIOS, "signal_fraction": FRACTIONS},
        one_by_one=("aspect_ratio", "signal_fraction")),
    "one_step_support": Scan(
        {"aspect_ratio": RATIOS, "signal_fraction": FRACTIONS}, infinite=True, one_by_one=None),
    "one_step_anisotropic": Scan(
        {"eigenvalues": SPECTRA, "n_train": [2, 3, 4, 5, 6, 14, 15, 62, 1000, 10**9, 10**15],
         "time": [1e-8, 2.0], "noise_scale": [0.0, 1e-30, 1e-8, 1.0, 1e8]},
        infinite=True, whole=("n_train",), most=140,
        one_by_one=("eigenvalues", "time", "noise_scale")),
    "one_step_anisotropic_spectrum": Scan(
        {"s": [0.01, 1.0, 30.0], "eigenvalues": PLAIN, "n_train": [2, 5, 200], "time": [2.0],
         "noise_scale": [1e-4, 1.0, 1e3]},
        whole=("n_train",), most=40, one_by_one=None),
    "one_step_anisotropic_support": Scan(
        {"eigenvalues": PLAIN[:4], "n_train": [3, 200], "time": [2.0], "noise_scale": [0.1, 1.0]},
        whole=("n_train",), most=4, one_by_one=None),
    "expected_delta": Scan(
        {"dim": SIZES, "n_train": TRAIN, "n_original": [2, 10**4, 10**15],
         "time": [1e-8, 2.0], "noise_scale": [0.0, 1e-8, 1.0, 1e8, 1e100], "std": [1e-20, 1.0]},
        infinite=True, whole=("dim", "n_train", "n_original"),
    ),
    "delta_positive_probability": Scan(
        {"dim": [8, 20], "n_train": [23, 100, 800], "n_original": [2, 10**4, 10**15],
         "time": [1e-8, 2.0], "noise_scale": [0.0, 1e-8, 1.0, 1e8, 1e100], "std": [1e-20, 1.0]},
        whole=("dim", "n_train", "n_original"), most=24,
    ),
    "wishart_kl": Scan(
        {"dim": SIZES, "n_train": TRAIN}, infinite=True, whole=("dim", "n_train")
    ),
    "wishart_log_det": Scan(
        {"dim": [1, 2, 3, 10], "dof": TRAIN[4:]}, whole=("dim", "dof")
    ),
    "marchenko_pastur_quadrature": Scan({"aspect_ratio": [*RATIOS, *WIDE]}, one_by_one=None),
    "marchenko_pastur_mean": Scan(
        {"function": [np.sqrt], "aspect_ratio": [*RATIOS, *WIDE]}, free=("function",),
        one_by_one=None),
    "split_consistency": Scan({"aspect_ratio": [*RATIOS, *WIDE]}),
    "sample_covariance_atom": Scan({"eigenvalues": SPECTRA, "n_train": [*RATIOS, *WIDE]},
        one_by_one=("eigenvalues",)),
    "sample_covariance_range": Scan({"eigenvalues": SPECTRA, "n_train": RATIOS}, one_by_one=None),
    "sample_covariance_spectrum": Scan(
        {"x": [1e-30, 1e-6, 0.5, 1.0, 3.0, 1e6, 1e30], "eigenvalues": SPECTRA, "n_train": RATIOS},
        most=300, one_by_one=("eigenvalues",)),
    "renormalized_noise": Scan(
        {"eigenvalues": SPECTRA, "noise_variance": [0.0, *NOISES], "n_train": RATIOS}, most=600,
        one_by_one=("eigenvalues",)),
    "renormalized_noise_derivative": Scan(
        {"eigenvalues": SPECTRA, "noise_variance": [0.0, *NOISES], "n_train": RATIOS},
        infinite=True, most=600, names=(), one_by_one=("eigenvalues",)),
    "denoising_losses": Scan(
        {"eigenvalues": SPECTRA, "noise_variance": NOISES, "n_train": RATIOS}, most=600,
        one_by_one=("eigenvalues",)),
    "subset_losses": Scan(
        {"points": ROWS, "noise_variance": NOISES[4:], "n_train": [2, 3, 5]}, whole=("n_train",),
        one_by_one=None),
    "denoiser_mean": Scan(
        {"x": [[1.0, 2.0], [1e100, -1.0]], "mean": [0.0, 1.0], "covariance": [np.eye(2)],
         "noise_variance": NOISES, "n_train": RATIOS}, free=("covariance",), most=200,
        one_by_one=None),
    "denoiser_variance": Scan(
        {"x": [[1.0, 2.0], [1e50, -1.0]], "direction": [[1.0, 0.0]], "mean": [0.0, 1.0],
         "covariance": [np.eye(2)], "noise_variance": NOISES, "n_train": RATIOS},
        free=("covariance",), most=200, one_by_one=None),
    "denoiser_weight": Scan(
        {"eigenvalues": [0.0, *WIDE], "noise_std": [0.0, 1e-150, 1e-3, 1.0, 1e150],
         "train_time": TIMES, "rate": [1e-3, 1.0, 1e3], "init": [-2.0, 0.0, 1.0, 1e100]},
    ),
    "two_layer_weight": Scan(
        {"eigenvalues": [0.0, *WIDE], "noise_std": [0.0, 1e-150, 1e-3, 1.0, 1e150],
         "train_time": TIMES, "rate": [1e-3, 1.0, 1e3], "init": [0.0, 1e-100, 1.0, 1e100]},
    ),
    "generated_variance": Scan(
        {"eigenvalues": [0.0, *WIDE], "train_time": TIMES, "rate": [1e-3, 1.0, 1e3],
         "sigma_min": [1e-150, 0.002, 80.0], "sigma_max": [80.0, 1e4, 1e150],
         "init": [-1.0, 0.0, 0.5, 1.0]},
    ),
    "emergence_time": Scan({"eigenvalues": [0.0, *WIDE], "rate": [1e-3, 1.0, 1e3]}, infinite=True),
    "early_stopping_losses": Scan(
        {"train_time": [*TIMES, np.inf], "aspect_ratio": RATIOS, "noise_variance": NOISES,
         "init": [-1e100, -1.0, 0.0, 0.5, 1.0, 1e100]},
    ),
    "early_stopping_minimum": Scan(
        {"aspect_ratio": RATIOS, "noise_variance": NOISES, "init": [-1.0, 0.0, 0.5, 1.0, 1e100]},
        infinite=True, most=150,
    ),
    "random_feature_losses": Scan(
        {"feature_ratio": [1e-8, 0.01, *NEAR_ONE, 8.0, 1e8], "sample_ratio": [1e-8, *NEAR_ONE, 1e8],
         "time": [1e-300, 1e-9, 0.1, 10.0, 1e300], "ridge": [1e-20, 1e-3, 1e20],
         "noise_draws": [1.0, 2.0, 1e12, np.inf], "activation": ["tanh", "sign", "identity"]},
        free=("activation",), one_by_one=("activation",)),
    "activation_constants": Scan(
        {"activation": ["tanh", "erf", "sign", "identity"], "time": WIDE.tolist()},
        free=("activation",), one_by_one=("activation",)),
    "speciation_time": Scan({"eigenvalues": SPECTRA}, one_by_one=None),
    "collapse_time": Scan({"n_train": [1, 1.0001, 2, 100, 1e9, 1e300], "eigenvalues": SPECTRA},
        infinite=True, one_by_one=("eigenvalues",)),
    "cloning_probability": Scan(
        {"time": TIMES, "mean_norm": [0.0, *WIDE], "std": WIDE.tolist()}
    ),
    "membership": Scan(
        {"eigenvalues": SPECTRA[:5], "noise_variance": [1e-30, 1e-8, 1e-3, 1.0, 1e3, 1e8, 1e30],
         "n_train": RATIOS}, most=400, one_by_one=("eigenvalues",)),
    "most_revealing_noise": Scan({"eigenvalues": PLAIN, "n_train": [2.0, 100.0, 1e9]}, most=6,
        one_by_one=None),
    "fitted_gaussian_share": Scan(
        {"eigenvalues": [[1.0] * 4, [1e-100] * 5, [0.0, *[1e100] * 6], SPECTRA[-1]],
         "n_train": [2, 3, 10, 1000, 10**6, 10**12]}, most=12, one_by_one=None,
        whole=("n_train",)),
    "points_for_auc": Scan(
        {"eigenvalues": PLAIN, "noise_variance": [0.01, 1.0], "auc": [0.5001, 0.6, 0.9]}, most=12,
        one_by_one=None),
    "recursive_kl": Scan(
        {"dim": SIZES, "n_train": TRAIN, "generations": [0, 1, 10, 10**15],
         "fitted_mean": [True, False]},
        infinite=True, whole=("dim", "n_train", "generations"), free=("fitted_mean",),
        one_by_one=("fitted_mean",)),
    "recursive_variance": Scan(
        {"dim": [1, 2, 100, 10**6], "n_train": [1, 2, 40, 10**6, 10**15],
         "generations": [0, 1, 10, 10**6, np.inf], "fresh_fraction": [0.0, 1e-9, 0.25, 1.0]},
        infinite=True, whole=("dim", "n_train", "generations"),
        one_by_one=("dim", "n_train", "fresh_fraction")),
    "recursive_score_variance": Scan(
        {"eigenvalues": SPECTRA, "time": TIMES, "generations": [0, 1, 10**15, np.inf],
         "fresh_fraction": [0.0, 1e-15, 0.25, 1.0]}, whole=("generations",),
        one_by_one=("eigenvalues", "time", "fresh_fraction")),
    "recursive_one_step_trace": Scan(
        {"dim": SIZES, "n_train": TRAIN, "time": [1e-8, 2.0, 350.0],
         "noise_scale": [0.0, 1e-300, 1.0, 1e8]},
        infinite=True, whole=("dim", "n_train"), one_by_one=("time", "noise_scale")),
    "sampler_quality": Scan(
        {"eigenvalues": PLAIN[:4], "n_steps": [1, 2, 50, np.inf],
         "sampler": ["ddpm", "ddpm:large", "ddim", "heun"], "schedule": ["linear", "karras"],
         "n_train": [None, 2, 3, 4, 5, 100, 10**9], "ridge": [0.0, 1e-3]},
        infinite=True, whole=("n_steps", "n_train"), free=("sampler", "schedule"), most=16,
        one_by_one=None),
    "best_steps": Scan(
        {"eigenvalues": PLAIN[:3], "n_train": [2, 3, 5, 50], "sampler": ["ddim", "ddpm:large"]},
        infinite=True, whole=("n_train",), free=("sampler",), most=3, one_by_one=None),
    "tangent_grid": Scan(
        {"eigenvalues": PLAIN, "n_steps": [1, 2, 7], "noise_min": [0.0, 1e-3],
         "noise_max": [1.0, 1e4], "n_train": [None, 2, 50]},
        whole=("n_steps", "n_train"), most=10, one_by_one=None),
    "guided_moments": Scan(
        {"class_variance": [1e-12, 1e-3, 1.0, 1e12], "pooled_variance": [1e-12, 1e-3, 1.0, 1e12],
         "guidance": [-1.0, 0.0, 0.5, 2.0, 10.0], "class_mean": [0.0, 1.0]},
        most=200),
    "guided_class_moments": Scan(
        {"mean_norm": [0.0, 1e-3, 1.0, 10.0], "guidance": [0.0, 1.0, 5.0], "std": [0.1, 1.0, 10.0]},
        most=12, one_by_one=None),
    "guided_class_density": Scan(
        {"position": [-3.0, 0.0, 2.0], "mean_norm": [0.0, 1.0, 10.0], "guidance": [0.0, 1.0],
         "std": [0.1, 1.0]}, most=12, one_by_one=None),
    "noisy_data_weight": Scan(
        {"eigenvalues": SPECTRA[:5], "noise_variance": [1e-8, 0.4, 1e8], "n_train": RATIOS,
         "data_noise_variance": [0.0, 1e-30, 1e-9]}, most=200, one_by_one=("eigenvalues",)),
    "recursive_one_step": Scan(
        {"dim": [1, 2, 30], "n_train": [2, 3, 60, 10**6], "generations": [1, 3]},
        infinite=True, whole=("dim", "n_train", "generations"), most=6, one_by_one=None),
    "recursive_one_step_spectrum": Scan(
        {"eigenvalues": PLAIN[1:4], "n_train": [7, 10**6], "generations": [1, 2]},
        whole=("n_train", "generations"), most=4, one_by_one=None),
    "convergence_order": Scan(
        {"n_steps": [[10, 20, 40]], "discretization_squared": [[1.0, 0.25, 0.0625]]},
        one_by_one=None),
}  # fmt: skip


def names() -> list[str]:
    return sorted(itertools.chain(SCANS, *(scan.names for scan in SCANS.values())))


def scan_of(name: str) -> Scan:
    found = SCANS.get(name)
    return found or next(scan for scan in SCANS.values() if name in scan.names)


def calls(name: str) -> Iterator[dict[str, Any]]:
    """Arguments that cover the grid, or `most` points of it: arrays of all that broadcast."""
    scan = scan_of(name)
    looped = tuple(scan.grid) if scan.one_by_one is None else scan.one_by_one
    outer = [range(len(scan.grid[key])) for key in looped]
    inner = [key for key in scan.grid if key not in looped]
    sizes = [len(scan.grid[key]) for key in inner]
    rows = int(np.prod([len(places) for places in outer]))
    rng = np.random.default_rng(0)
    chosen = np.arange(rows)
    if inner == [] and rows > scan.most:
        chosen = rng.choice(rows, scan.most, replace=False)
    share = max(1, min(int(np.prod(sizes)), scan.most // rows))
    for row in chosen:
        places = np.unravel_index(row, [len(part) for part in outer]) if outer else ()
        arguments = {key: scan.grid[key][place] for key, place in zip(looped, places, strict=True)}
        if inner:
            index = rng.choice(int(np.prod(sizes)), share, replace=False)
            for key, place in zip(inner, np.unravel_index(index, sizes), strict=True):
                arguments[key] = np.array(scan.grid[key], dtype=float)[place]
        yield arguments


def test_every_exported_function_is_scanned() -> None:
    """A new one needs a line in SCANS."""
    assert set(names()) | RESULTS == set(theory.__all__)
    assert all(issubclass(getattr(theory, name), tuple) for name in RESULTS)
    assert isinstance(theory.sampler_quality([1.0], 2), SamplerQuality)
    for name in names():
        parameters = inspect.signature(getattr(theory, name)).parameters
        assert set(scan_of(name).grid) <= set(parameters), name


def numbers(result: Any) -> np.ndarray:
    parts = result if isinstance(result, tuple) else (result,)
    nested = [numbers(part) if isinstance(part, tuple) else np.ravel(part) for part in parts]
    return np.concatenate(nested).astype(float)


@pytest.mark.parametrize("name", names())
def test_numbers_over_the_domain(name: str) -> None:
    function, scan = getattr(theory, name), scan_of(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for arguments in calls(name):
            try:
                values = numbers(function(**arguments))
            except Exception as error:
                raise AssertionError(f"{name}({arguments}): {error!r}") from error
            good = ~np.isnan(values) if scan.infinite else np.isfinite(values)
            assert good.all(), (name, arguments, values)


NEGATIVE = -1.0
WRONG = [
    1j, "many", None, np.nan, True, NEGATIVE, object(), np.datetime64("2020-01-01"),
    np.ma.array([1.0, 2.0], mask=[False, True]), [[1.0], [1.0, 2.0]],
]  # fmt: skip
MAY = (
    "init",
    "mean",
    "x",
    "points",
    "direction",
    "position",
    "class_mean",
    "guidance",
)  # be negative


@pytest.mark.parametrize("name", names())
def test_what_is_no_number_of_the_domain_is_refused_in_one_line(name: str) -> None:
    function, scan = getattr(theory, name), scan_of(name)
    parameters = inspect.signature(function).parameters
    optional = {key for key, parameter in parameters.items() if parameter.default is None}
    fine = {key: values[len(values) // 2] for key, values in scan.grid.items()}
    for key in scan.grid:
        if key in scan.free:
            continue
        for wrong in [*WRONG, *([2.5] if key in scan.whole else [])]:
            if (key in MAY and wrong is NEGATIVE) or (wrong is None and key in optional):
                continue
            try:
                function(**{**fine, key: wrong})
            except (TypeError, ValueError) as error:
                message = str(error)
                good = key in message and "expected" in message and "\n" not in message
            else:
                message, good = "no error", False
            assert good, f"{name}({key}={wrong!r}): {message}"


# ---- no jumps

FINE = np.geomspace(1e-10, 1e8, 721)
SMALL = np.geomspace(1e-14, 1e-2, 481)
NEAR = 1 + np.concatenate([-SMALL[::-1], SMALL])
TWO_LEVELS = [3.0] * 5 + [0.3] * 5


@cache
def one_step_curve(dim: int, n_train: int) -> theory.OneStepTheory:
    return theory.one_step(dim, n_train, noise_scale=FINE)


CURVES = {
    **{
        f"one-step {field} d={d} n={n}": lambda d=d, n=n, field=field: getattr(
            one_step_curve(d, n), field
        )
        for d, n in ((1, 2), (1, 3), (2, 5), (3, 6), (10, 12), (10, 30), (100, 103), (100, 60))
        for field in ("kl", "log_det", "hellinger_squared", "wasserstein_squared", "trace")
    },
    "affinity at g = rho2": lambda: theory.one_step_log_affinity(10, 12, 10 / 11 * NEAR),
    "ln det at g = rho2": lambda: theory.one_step_log_det(10, 12, 10 / 11 * NEAR),
    "potential": lambda: theory.one_step_log_potential(FINE, 10, 11, 0.9),
    "lower edge": lambda: [theory.one_step_support(g, 0.5)[0] for g in 0.5 * NEAR],
    "upper edge": lambda: [theory.one_step_support(g, 0.5)[1] for g in 0.5 * NEAR],
    "density at g = 1": lambda: [theory.one_step_spectrum(1.0, g, 0.5) for g in NEAR],
    "delta": lambda: theory.expected_delta(10, 30, noise_scale=FINE).relative,
    "mean logarithm": lambda: [theory.marchenko_pastur_mean(np.log1p, c) for c in NEAR],
    "overlap": lambda: theory.split_consistency(NEAR),
    "best time in c": lambda: theory.early_stopping_minimum(np.linspace(0.99, 1.01, 81), 0.25).time,
    "losses in c": lambda: theory.early_stopping_losses(1.0, NEAR, 0.25).test,
    "losses in time": lambda: theory.early_stopping_losses(FINE, 2.0, 0.25).test,
    "kappa": lambda: np.log(theory.renormalized_noise(TWO_LEVELS, FINE, 10)),
    "kappa in n": lambda: theory.renormalized_noise(TWO_LEVELS, 1e-3, 10 * NEAR),
    "test loss": lambda: theory.denoising_losses(TWO_LEVELS, FINE, 9).test,
    "test loss of subsets": lambda: np.array(
        [theory.subset_losses(np.eye(6), v, 4).test for v in FINE[360:]]
    ),
    "weight": lambda: theory.denoiser_weight(2.0, 0.5, FINE),
    "two layers": lambda: theory.two_layer_weight(2.0, 0.5, FINE, init=1e-3),
    "variance": lambda: np.log(theory.generated_variance(2.0, FINE)),
    "random features": lambda: theory.random_feature_losses(8 * NEAR, 8, 0.1, 1e-3, 1).test,
    "random features in t": lambda: theory.random_feature_losses(4, 8, FINE, 1e-3, 2).test,
    "cloning": lambda: theory.cloning_probability(FINE, 3.0),
    "collapse": lambda: np.log(theory.collapse_time(1 + FINE, TWO_LEVELS)),
    "membership": lambda: theory.membership(TWO_LEVELS, FINE[160:], 30).auc,
    "noise of copies": lambda: theory.activation_constants("sign", FINE).kappa_noise,
}


@pytest.mark.parametrize("name", CURVES)
def test_no_jumps(name: str) -> None:
    """Second differences on a fine grid are small beside the range."""
    values = np.asarray(CURVES[name](), dtype=float)
    if "=" in name and not np.isfinite(values).any():
        return
    assert np.isfinite(values).all()
    bend = np.abs(np.diff(values, 2)).max()
    assert bend <= 0.02 * np.ptp(values) + 1e-12 * np.abs(values).max(), bend / np.ptp(values)
