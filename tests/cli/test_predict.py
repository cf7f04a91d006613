"""``ornstein predict``: every table, document and figure shows the numbers it should, and where.

Each case calls the theory itself, with other parameters than the defaults and all of them distinct:
a column, a curve, a label or a landmark in the place of another one is seen.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.predictions import ANY_SPECTRUM, Case, between

from ornstein import Gaussian, theory
from ornstein.cli.predict import PREDICTIONS, answering
from ornstein.cli.predict.spectra import population_spectrum, some_modes
from ornstein.diffusion.grids import NoiseGrid
from ornstein.memorization.attacked_models import attack_models, fit_empirical, fit_linear
from ornstein.reports.prediction import prediction_figure
from ornstein.studies import LinearOptions, LinearStudy
from ornstein.studies.linear.prediction import predicted
from ornstein.theory.phase import delta_map, denoising_map, early_stopping_map, kl_map
from ornstein.theory.phase_spectra import any_spectrum_kl_map, membership_map

inf = np.inf


@pytest.fixture(scope="module", autouse=True)
def computed_once() -> Iterator[dict[str, Any]]:
    """A prediction with the same options is computed once for its table, document and figure.

    What is yielded has the ``latest``.
    """
    known: dict[tuple, Any] = {}
    kept: dict[str, Any] = {}
    compute = answering._computed

    def remembered(function: Callable, options: Any) -> Any:
        named = vars(options).items()
        key = (function, *(f"{name}={value!r}" for name, value in named if name not in SHOWN))
        if key not in known:
            known[key] = compute(function, options)
        kept["latest"] = known[key]
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "_computed", remembered)
        yield kept


SHOWN = ("plot", "json", "config")
"""Options that say how a prediction is shown."""


def power_law(exponent: float, dim: int) -> np.ndarray:
    return np.arange(1, dim + 1) ** -exponent


def one_step_case() -> Case:
    sizes = [5, 9, 12, 40]
    found = theory.one_step(7, sizes, 0.7, 1.3, 1.6)
    rho2 = 1 / (1 + 1.3 * (1 - np.exp(-1.4)) / 1.6**2)
    limit = 3.5 * (rho2 - 1 - np.log(rho2))
    return Case(
        {"dim": 7, "n_train": "5,9,12,40", "time": 0.7, "noise_scale": 1.3, "std": 1.6},
        (
            "N(m, 1.6^2 I)",
            "d = 7",
            "T = 0.7",
            "noise scale 1.3",
            f"rho2 = {rho2:.6f}",
            f"n* = {7 / rho2:.2f}",
            f"infinite n = {limit:.5f} nats",
        ),
        {
            "n": (sizes, "training size"),
            "KL, nats": (found.kl, "expected KL(generated || population), total"),
            "Wasserstein^2": (found.wasserstein_squared, "W_2^2, in squared data units"),
            "Hellinger^2": (found.hellinger_squared, "1 - expected affinity"),
            "tr/(d s^2)": (found.trace, "expected tr Sigma_G / (d std^2)"),
            "ln det": (found.log_det, "expected ln det(Sigma_G / std^2), total"),
        },
        {"dim": 7, "time": 0.7, "noise_scale": 1.3, "std": 1.6}
        | {"signal_fraction": rho2, "threshold": 7 / rho2, "kl_infinite_data": limit}
        | {"n_train": sizes, "kl": found.kl, "trace": found.trace, "log_det": found.log_det}
        | {"hellinger_squared": found.hellinger_squared}
        | {"wasserstein_squared": found.wasserstein_squared},
        "training size n",
        "distance to the population / d",
        {
            "KL(gen||pop) / d, nats": lambda n: theory.one_step(7, n, 0.7, 1.3, 1.6).kl / 7,
            r"$W_2^2 / (d\,\sigma^2)$": lambda n: (
                theory.one_step(7, n, 0.7, 1.3, 1.6).wasserstein_squared / (7 * 1.6**2)
            ),
        },
        {"n = d": 7, "n*": 7 / rho2},
        (
            "KL, nats is infinite for n <= d + 2",
            "Wasserstein^2 is infinite for n - 1 within 1 of d",
            "tr/(d s^2) is infinite for n - 1 within 1 of d",
            "ln det is infinite for n - 1 < d",
        ),
    )


def spectrum_case() -> Case:
    s = [0.3, 0.9, 30.0]

    def found(s: Any) -> Any:
        return theory.one_step_spectrum(s, 0.6, 0.7)

    low, high = theory.one_step_support(0.6, 0.7)
    return Case(
        {"aspect_ratio": 0.6, "signal_fraction": 0.7, "s": "0.3,0.9,30"},
        ("d/(n-1) = 0.6", "rho2 = 0.7", f"support from {low:.6g} to {high:.6g}", "Sigma_G^(1/2)"),
        {
            "s": (s, "singular value, in units of the population's std"),
            "density": (found(s), "of the singular values that are not 0"),
        },
        {"aspect_ratio": 0.6, "signal_fraction": 0.7, "support": [low, high]}
        | {"s": s, "density": found(s)},
        r"singular value of $\Sigma_G^{1/2} / \sigma$",
        "density",
        {"density": between(low, high, found)},
        {},
        ("Outside the support the density is 0.",),
    )


def wishart_case() -> Case:
    sizes = [4, 7, 11, 30]
    forward, backward = theory.wishart_kl(6, sizes)
    return Case(
        {"dim": 6, "n_train": "4,7,11,30"},
        ("covariance of n points", "d = 6"),
        {
            "n": (sizes, "training size"),
            "KL(gen||pop)": (forward, "expected KL(generated || population), total nats"),
            "KL(pop||gen)": (backward, "expected KL(population || generated), total nats"),
        },
        {"dim": 6, "n_train": sizes}
        | {"generated_population": forward, "population_generated": backward},
        "training size n",
        "KL / d, nats",
        {
            "KL(gen||pop)": lambda n: np.asarray(theory.wishart_kl(6, n)[0]) / 6,
            "KL(pop||gen)": lambda n: np.asarray(theory.wishart_kl(6, n)[1]) / 6,
        },
        {"n = d": 6},
        (
            "KL(gen||pop) is infinite for n < d: rank n",
            "KL(pop||gen) is infinite for n <= d + 1: rank below d",
        ),
    )


def sample_covariance_case() -> Case:
    x, values = [0.2, 1.1, 5.0, 90.0], np.array([3.0, 1.0, 0.5])

    def found(x: Any) -> Any:
        return theory.sample_covariance_spectrum(x, values, 8.0)

    low, high = theory.sample_covariance_range(values, 8.0)
    return Case(
        {"spectrum": "3,1,0.5", "n_train": 8.0, "x": "0.2,1.1,5,90"},
        ("n = 8 points", "d = 3", "spectrum 3,1,0.5", f"[{low:.6g}, {high:.6g}]", "at zero 0"),
        {
            "x": (x, "eigenvalue of the sample covariance, squared data units"),
            "density": (found(x), "of the eigenvalues that are not 0"),
        },
        {"dim": 3, "spectrum": "3,1,0.5", "n_train": 8.0, "support": [low, high]}
        | {"mass_at_zero": 0.0, "x": x, "density": found(x)},
        "eigenvalue of the sample covariance, squared data units",
        "density",
        {"density": between(low, high, found)},
        {},
        ("Outside the support the density is 0.",),
    )


def consistency_case() -> Case:
    ratios = [0.3, 1.7, 6.0]
    overlap = theory.split_consistency(ratios)
    return Case(
        {"aspect_ratio": "0.3,1.7,6"},
        ("Two models of n points each, none shared",),
        {"d/n": (ratios, "dimension over points"), "overlap q": (overlap, "cosine of two samples")},
        {"aspect_ratio": ratios, "overlap": overlap},
        "aspect ratio d/n, dimension over points of each model",
        "overlap q",
        {"overlap q": theory.split_consistency},
        {"n = d": 1.0},
    )


def renormalized_case() -> Case:
    sizes, values = [3, 5, 20], power_law(0.8, 5)
    kappa = theory.renormalized_noise(values, 0.4, sizes)
    slope = theory.renormalized_noise_derivative(values, 0.4, sizes)
    return Case(
        {"dim": 5, "spectrum": "power-law:0.8", "noise_variance": 0.4, "n_train": "3,5,20"},
        ("s^2 = 0.4", "d = 5", "power-law:0.8"),
        {
            "n": (sizes, "training size"),
            "kappa": (kappa, "renormalised noise variance, squared data units"),
            "d kappa / d s^2": (slope, "its slope in the noise variance"),
        },
        {"dim": 5, "spectrum": "power-law:0.8", "noise_variance": 0.4}
        | {"n_train": sizes, "kappa": kappa, "derivative": slope},
        "training size n",
        "noise variance, squared data units",
        {
            r"$\kappa(s^2)$": lambda n: theory.renormalized_noise(values, 0.4, n),
            "$s^2$, its limit at infinite n": lambda n: np.full(np.shape(n), 0.4),
        },
        {"n = d": 5},
    )


def losses_case() -> Case:
    sizes, values = [2, 4, 31], np.array([2.0, 1.0, 0.7, 0.1])
    train, test, optimum = theory.denoising_losses(values, 0.3, sizes)

    def part(index: int) -> Callable[[Any], Any]:
        return lambda n: theory.denoising_losses(values, 0.3, n)[index]

    return Case(
        {"spectrum": "2,1,0.7,0.1", "noise_variance": 0.3, "n_train": "2,4,31"},
        ("loss per dimension, squared data units", "s^2 = 0.3", "d = 4", "spectrum 2,1,0.7,0.1"),
        {
            "n": (sizes, "training size"),
            "train": (train, "loss on the n training points"),
            "test": (test, "loss on fresh points"),
            "optimum": (optimum, "the denoiser that knows the population"),
        },
        {"dim": 4, "spectrum": "2,1,0.7,0.1", "noise_variance": 0.3, "n_train": sizes}
        | {"train": train, "test": test, "optimum": optimum},
        "training size n",
        "denoising loss / d, squared data units",
        {"train": part(0), "test": part(1), "optimum": part(2)},
        {"n = d": 4},
    )


def variance_case() -> Case:
    tau, modes = [0.0, 0.4, 7.0], np.array([2.0, 0.3])
    options = {"rate": 1.5, "sigma_min": 0.01, "sigma_max": 20.0, "init": 0.2}

    def variance(mode: float) -> Callable[[Any], Any]:
        return lambda time: theory.generated_variance(mode, time, **options)

    return Case(
        {"spectrum": "2,0.3", "train_time": "0,0.4,7", **options},
        ("d = 2, spectrum 2,0.3", "rate 1.5", "Q = 0.2", "from noise s = 20 to 0.01"),
        {
            "tau": (tau, "training time"),
            "mode 2": (variance(2.0)(tau), "variance where the population has 2"),
            "mode 0.3": (variance(0.3)(tau), "variance where the population has 0.3"),
        },
        {"eigenvalues": modes, **options, "train_time": tau}
        | {"generated_variance": [[variance(m)(t) for m in modes] for t in tau]},
        r"training time $\tau$",
        r"generated variance / $\lambda$",
        {
            r"$\lambda$ = 2": lambda t: variance(2.0)(t) / 2,
            r"$\lambda$ = 0.3": lambda t: variance(0.3)(t) / 0.3,
        },
    )


def emergence_case() -> Case:
    modes = np.array([0.5, 2.0, 0.0])
    time = np.array([np.log(2) / (8 * 1.5 * 0.5), np.log(2) / (8 * 1.5 * 2.0), inf])
    end = np.array([0.5 / 0.99, 2.0 / 2.49, 0.0])
    then = np.array([2 / (1 / 0.03 + 1 / end[0]), 2 / (1 / 0.03 + 1 / end[1]), 0.0])
    order = [1, 0, 2]
    return Case(
        {"spectrum": "0.5,2,0", "noise": 0.7, "rate": 1.5, "init": 0.03},
        ("d = 3, spectrum 0.5,2,0", "Q = 0.03", "noise s = 0.7", "rate 1.5"),
        {
            "lambda": (modes[order], "population variance of the mode"),
            "emergence": (time[order], "training time at which 1/W is half way"),
            "W then": (then[order], "weight of the mode at that time"),
            "W at the end": (end[order], "weight of the mode after endless training"),
        },
        {"noise": 0.7, "rate": 1.5, "init": 0.03, "eigenvalues": modes}
        | {"emergence_time": time, "weight": then, "final_weight": end},
        r"training time $\tau$",
        "weight of the mode",
        {
            r"$\lambda$ = 2": lambda t: theory.two_layer_weight(2.0, 0.7, t, 1.5, 0.03),
            r"$\lambda$ = 0.5": lambda t: theory.two_layer_weight(0.5, 0.7, t, 1.5, 0.03),
        },
        {},
        ("emergence is infinite where lambda = 0",),
    )


def stopping_case() -> Case:
    tau = [0.0, 0.2, 1.5, inf]
    train, test = theory.early_stopping_losses(tau, 3.0, 0.4, 0.9)
    best, lowest = theory.early_stopping_minimum(3.0, 0.4, 0.9)
    return Case(
        {"aspect_ratio": 3.0, "noise_variance": 0.4, "init": 0.9, "train_time": "0,0.2,1.5,inf"},
        ("d/n = 3", "s^2 = 0.4", "Q = 0.9", f"stop at tau = {best:.6g}: test loss {lowest:.6g}"),
        {
            "tau": (tau, "training time, in units of 1 / population variance"),
            "train": (train, "loss / d on the n training points"),
            "test": (test, "loss / d on fresh points"),
        },
        {"aspect_ratio": 3.0, "noise_variance": 0.4, "init": 0.9}
        | {"best_time": best, "best_test": lowest}
        | {"train_time": tau, "train": train, "test": test},
        r"training time $\tau$, in units of 1 / population variance",
        "loss / d, in units of the population variance",
        {
            "train": lambda t: theory.early_stopping_losses(t, 3.0, 0.4, 0.9).train,
            "test": lambda t: theory.early_stopping_losses(t, 3.0, 0.4, 0.9).test,
        },
        {"best time to stop": float(best)},
        ("tau is infinite at the end of training",),
    )


def speciation_case() -> Case:
    time = 0.5 * np.log(30.0)
    return Case(
        {"spectrum": "2,30,1"},
        ("d = 3, spectrum 2,30,1", f"largest eigenvalue 30: speciation time t_S = {time:.6f}"),
        {},
        {"largest_eigenvalue": 30.0, "speciation_time": time},
        "OU time t",
        "variance",
        {
            "signal in the widest direction": lambda t: 30 * np.exp(-2 * t),
            "noise at the end": np.ones_like,
        },
        {"speciation time $t_S$": time},
    )


def cloning_case() -> Case:
    times = [0.5, 1.25, 3.0]
    probability = theory.cloning_probability(times, 4.0, 0.7)
    start = 0.5 * np.log(16.49)
    return Case(
        {"time": "0.5,1.25,3", "mean_norm": 4.0, "std": 0.7},
        ("|m| = 4", "std 0.7", f"speciation time {start:.6f}"),
        {
            "t": (times, "OU time, when two backward trajectories separate"),
            "same class": (probability, "probability that they end in one class"),
        },
        {"mean_norm": 4.0, "std": 0.7, "speciation_time": start}
        | {"time": times, "probability": probability},
        "OU time t, when two backward trajectories separate",
        "probability of the same class",
        {"same class": lambda t: theory.cloning_probability(t, 4.0, 0.7)},
        {"speciation time $t_S$": start},
    )


def collapse_case() -> Case:
    sizes, values = [1, 6, 50, 10_000_000], power_law(1.2, 6)
    time = theory.collapse_time(sizes, values)
    return Case(
        {"n_train": "1,6,50,10000000", "dim": 6, "spectrum": "power-law:1.2"},
        ("d = 6, power-law:1.2",),
        {
            "n": (sizes, "training size"),
            "time t_C": (time, "OU time of the collapse"),
            "EDM noise s_C": (np.sqrt(np.exp(2 * np.asarray(time)) - 1), "that time as EDM noise"),
        },
        {"dim": 6, "spectrum": "power-law:1.2", "n_train": sizes, "collapse_time": time}
        | {"collapse_noise": np.sqrt(np.exp(2 * np.asarray(time)) - 1)},
        "training size n",
        "OU time $t_C$ of the collapse",
        {"collapse time": lambda n: theory.collapse_time(n, values)},
        {"n = d": 6},
        ("time t_C is infinite for n = 1", "EDM noise s_C is infinite for n = 1"),
    )


def features_case() -> Case:
    ratios = [0.7, 3.0, 20.0]
    given = (5.0, 0.2, 0.003, 2.0, "erf")
    train, test = theory.random_feature_losses(ratios, *given)
    mu1, star, kappa = theory.activation_constants("erf", 0.2)
    return Case(
        {"feature_ratio": "0.7,3,20", "sample_ratio": 5.0, "time": 0.2, "ridge": 0.003}
        | {"noise_draws": "2", "activation": "erf"},
        (
            "n/d = 5",
            "t = 0.2",
            "ridge 0.003",
            "m = 2",
            "erf",
            f"mu1 = {mu1:.8f}",
            f"mu*^2 = {star:.8f}",
            f"noise correlation {kappa:.6f}",
        ),
        {
            "p/d": (ratios, "features per dimension"),
            "train": (train, "least training objective / d"),
            "test": (test, "loss / d on fresh data"),
        },
        {"sample_ratio": 5.0, "time": 0.2, "ridge": 0.003, "noise_draws": 2.0}
        | {"activation": "erf", "mu1": mu1, "mu_star_squared": star, "kappa_noise": kappa}
        | {"feature_ratio": ratios, "train": train, "test": test},
        "features per dimension p/d",
        "score loss / d",
        {
            "train": lambda ratio: theory.random_feature_losses(ratio, *given).train,
            "test": lambda ratio: theory.random_feature_losses(ratio, *given).test,
        },
        {"p = n": 5.0, "p = n m": 10.0},
    )


CASES = {
    "one-step": one_step_case,
    "spectrum": spectrum_case,
    "wishart-kl": wishart_case,
    "sample-covariance": sample_covariance_case,
    "split-consistency": consistency_case,
    "renormalized-noise": renormalized_case,
    "denoising-losses": losses_case,
    "generated-variance": variance_case,
    "emergence": emergence_case,
    "early-stopping": stopping_case,
    "speciation": speciation_case,
    "cloning": cloning_case,
    "collapse": collapse_case,
    "random-features": features_case,
    **ANY_SPECTRUM,
}
EVERY_CASE = pytest.mark.parametrize("name", CASES)


@cache
def case_of(name: str) -> Case:
    """What theory says is computed once for table, document and figure."""
    return CASES[name]()


@pytest.fixture
def predict(ornstein: Callable) -> Callable[..., str]:
    def run(name: str, **options: object) -> str:
        given = [part for key, value in options.items() for part in as_option(key, value)]
        result = ornstein("predict", name, *given)
        assert result.status == 0, result.err
        return result.out

    return run


def command_of(name: str) -> str:
    """The prediction of a case; what follows says which kind."""
    return name.partition(" ")[0]


def as_option(key: str, value: object) -> list[str]:
    flag = f"--{key.replace('_', '-')}"
    return [flag] if value is True else [flag, str(value)]


@pytest.fixture
def document(predict: Callable) -> Callable[..., dict]:
    return lambda name, **options: json.loads(predict(name, **options, json=True))


def table_of(text: str) -> dict[str, list[str]]:
    """Columns of a printed table by their headings, from where the dashes stand."""
    lines = text.splitlines()
    rule = next(k for k, line in enumerate(lines) if re.fullmatch(r"-+(  -+)*", line))
    spans = [match.span() for match in re.finditer("-+", lines[rule])]
    rows = lines[rule + 1 : lines.index("", rule) if "" in lines[rule:] else None]
    return {
        lines[rule - 1][start:end].strip(): [row[start:end].strip() for row in rows]
        for start, end in spans
    }


def as_numbers(cells: list[str]) -> list[float]:
    return [float(cell.replace("infinite", "inf")) for cell in cells]


def as_floats(value: Any) -> Any:
    """JSON writes infinity as text."""
    if isinstance(value, list):
        return [as_floats(entry) for entry in value]
    return inf if value == "inf" else -inf if value == "-inf" else value


def test_every_prediction_has_a_case() -> None:
    assert {*map(command_of, CASES), "phase"} == set(PREDICTIONS)


@EVERY_CASE
def test_tables(predict: Callable, name: str) -> None:
    case = case_of(name)
    out = predict(command_of(name), **case.options)
    title, *blocks = out.split("\n\n")
    for words in case.title:
        assert words in " ".join(title.split())
    if case.table:
        shown = table_of(out)
        assert list(shown) == list(case.table)
        parameter = next(iter(shown))
        for heading, (values, words) in case.table.items():
            accuracy = 1e-12 if heading == parameter else 2e-5
            np.testing.assert_allclose(
                as_numbers(shown[heading]), values, rtol=accuracy, err_msg=heading
            )
            (meaning,) = [
                line for line in blocks[1].splitlines() if line.startswith(heading + "  ")
            ]
            assert words in meaning
    notes = " ".join(out.split("\n\n")[-1].split())
    for words in case.notes:
        assert words in notes
    assert ("infinite" in notes) == any("infinite" in words for words in case.notes)


@EVERY_CASE
def test_documents(document: Callable, name: str) -> None:
    case = case_of(name)
    found = document(command_of(name), **case.options)
    assert found.keys() == case.document.keys()
    for key, expected in case.document.items():
        value = as_floats(found[key])
        if isinstance(expected, str):
            assert value == expected
        else:
            np.testing.assert_allclose(value, np.asarray(expected), rtol=1e-12, err_msg=key)


@EVERY_CASE
def test_figures(predict: Callable, computed_once: dict[str, Any], name: str) -> None:
    case = case_of(name)
    predict(command_of(name), **case.options)
    figure = prediction_figure(computed_once["latest"])
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == (case.x_label, case.y_label)
    assert figure._suptitle is not None
    for words in case.title:
        assert words.replace("^2", "²") in " ".join(figure._suptitle.get_text().split())
    lines = {line.get_label(): line for line in axis.lines}
    for label, function in case.curves.items():
        x, y = (np.asarray(values) for values in lines[label].get_data())
        (finite,) = np.isfinite(y).nonzero()
        assert finite.size > 10
        # Both ends and some between: a curve in the place of another one is elsewhere.
        count = 5 if name in {"best-steps", "delta"} else 9  # fewer where a value takes long
        some = finite[np.linspace(0, finite.size - 1, count).round().astype(int)]
        np.testing.assert_allclose(y[some], function(x[some]), rtol=1e-9, err_msg=label)
    for label, place in case.marks.items():
        assert lines[label].get_xdata() == pytest.approx([place, place], rel=1e-12)
    # Of the points that are marked, all lie on one of the curves.
    (marked,) = [line for line in axis.lines if line.get_marker() == "o"][:1] or [None]
    others = {"values of the table", "emergence time"}
    assert {label for label in lines if not label.startswith("_")} - others == {
        *case.curves,
        *case.marks,
    }
    assert (marked is not None) == (name != "speciation")
    if figure.legends:
        named = [text.get_text() for text in figure.legends[0].get_texts()]
        assert {*case.curves, *case.marks} <= set(named)


@pytest.mark.parametrize("name", ["one-step", "denoising-losses", "early-stopping", "cloning"])
def test_values_of_the_table_are_marked_on_the_curves(name: str) -> None:
    case = case_of(name)
    (axis,) = prediction_figure(PREDICTIONS[name](**case.options)).axes
    parameter = np.asarray(next(iter(case.table.values()))[0], dtype=float)
    shown = parameter[np.isfinite(parameter) & ((parameter > 0) | (name == "cloning"))]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert len(points) == len(case.curves)
    for line, function in zip(points, case.curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), shown)
        expected = np.asarray(function(shown), dtype=float)
        np.testing.assert_allclose(
            np.asarray(line.get_ydata()), np.where(np.isfinite(expected), expected, np.nan)
        )


def test_emergence_times_are_marked() -> None:
    (axis,) = prediction_figure(PREDICTIONS["emergence"](spectrum="2,0.5", init=0.03)).axes
    points = [line for line in axis.lines if line.get_marker() == "o"]
    times = np.log(2) / 8 / np.array([2.0, 0.5])
    np.testing.assert_allclose([float(line.get_xdata()[0]) for line in points], times)
    ends = np.array([2.0 / 2.25, 0.5 / 0.75])
    np.testing.assert_allclose(
        [float(line.get_ydata()[0]) for line in points], 2 / (1 / 0.03 + 1 / ends)
    )


# ---- the numbers of docs/theory.md


@pytest.mark.parametrize(
    ("arguments", "entry", "expected"),
    [
        ("one-step", "kl_infinite_data", 9.42842),
        ("one-step", "threshold", 198.168),
        ("wishart-kl --n-train 1000", "generated_population", [2.6141]),
        ("wishart-kl --n-train 1000", "population_generated", [3.00325]),
        ("renormalized-noise --noise-variance 0.01 --n-train 200", "kappa", [0.0196224]),
        ("renormalized-noise --noise-variance 1 --n-train 50", "kappa", [1 + np.sqrt(2)]),
        ("denoising-losses --n-train 200", "train", [0.179806]),
        ("denoising-losses --n-train 200", "test", [0.242536]),
        ("split-consistency --aspect-ratio 4,1", "overlap", [0.234105, 64 / (9 * np.pi**2)]),
        ("generated-variance --train-time 1 --spectrum 1", "generated_variance", [[0.2697064]]),
        (
            "generated-variance --train-time 100 --spectrum 0.01",
            "generated_variance",
            [[0.00472791]],
        ),
        ("early-stopping", "best_test", 0.206030),
        ("early-stopping", "best_time", 0.480128),
        ("emergence --spectrum 1,0.01", "emergence_time", [np.log(2) / 8, np.log(2) * 12.5]),
        ("cloning --time 2.0794415416798357 --mean-norm 8", "probability", [0.775200]),
        ("collapse --n-train 20000 --dim 256", "collapse_time", [1.298790]),
        ("collapse --n-train 1000 --dim 64", "collapse_time", [0.819542]),
        ("speciation --spectrum 54.598150033144236,1", "speciation_time", 2.0),
        ("random-features --feature-ratio 0.5", "train", [0.86312]),
        ("random-features --feature-ratio 0.5,8", "test", [0.98080, 2.79787]),
        ("random-features", "mu1", 0.60570551),
        ("sample-covariance --n-train 400", "support", [0.25, 2.25]),
    ],
)
def test_check_values(ornstein: Callable, arguments: str, entry: str, expected: Any) -> None:
    found = json.loads(ornstein("predict", *arguments.split(), "--json").out)
    assert np.array(found[entry]) == pytest.approx(np.array(expected), rel=1e-5)


def test_spectrum_options_are_read_alike_everywhere(document: Callable) -> None:
    power = document("denoising-losses", spectrum="power-law:1", dim=3)
    listed = document("denoising-losses", spectrum=f"1,0.5,{1 / 3}")
    assert power["test"] == pytest.approx(listed["test"], rel=1e-12)
    assert population_spectrum("isotropic", None).tolist() == [1.0] * 100
    assert population_spectrum("2:4:1", 3).tolist() == [2.0, 3.0, 4.0]
    assert some_modes(np.array([1.0, 5.0, 1.0, 3.0, 2.0]), 3).tolist() == [5.0, 2.0, 1.0]


def test_the_average_over_the_noise(document: Callable, predict: Callable) -> None:
    found = document("random-features", noise_draws="inf", feature_ratio="0.5,8")
    expected = theory.random_feature_losses([0.5, 8], 8.0, 0.1, 1e-3, inf)
    assert found["test"] == pytest.approx(list(expected.test))
    assert found["noise_draws"] == "inf"
    assert "averaged over the noise" in predict("random-features", noise_draws="inf")


def test_grids_for_the_model_of_n_points(document: Callable, predict: Callable) -> None:
    found = document("grid", spectrum="3,1,0.2", steps="3,9", n_train=25)
    for index, count in enumerate((3, 9)):
        levels = theory.tangent_grid([3.0, 1.0, 0.2], count, n_train=25)
        quality = theory.sampler_quality(
            [3.0, 1.0, 0.2],
            count + 1,
            "euler",
            NoiseGrid(tuple(levels)),
            start="marginal",
            n_train=25,
        )
        assert found["tangent"][index] == pytest.approx(quality.kl / 3, rel=1e-12)
    np.testing.assert_allclose(found["levels"], levels)
    out = predict("grid", spectrum="3,1,0.2", steps="3,9", n_train=25)
    assert "for the denoisers of n = 25 points; expected KL to the population" in out
    assert f"Levels for S = 9: {', '.join(f'{level:.4g}' for level in levels)}" in " ".join(
        out.split()
    )


def test_best_steps_of_two_samplers(document: Callable, predict: Callable) -> None:
    options = {"spectrum": "2,0.5", "points_per_dimension": "1,8", "schedule": "scaled_linear"}
    options |= {"samplers": "ddpm:large,euler", "ode_schedule": "cosine"}
    found = document("best-steps", **options)
    large = theory.best_steps([2.0, 0.5], 16, "ddpm:large", "scaled_linear")
    euler = theory.best_steps([2.0, 0.5], 16, "euler", "cosine")
    assert as_floats(found["steps_ddpm_large"]) == [inf, large.steps]
    assert found["kl_ddpm_large"][1] == pytest.approx(large.kl)
    assert as_floats(found["steps_euler"]) == [inf, euler.steps]
    assert found["kl_limit_euler"][1] == pytest.approx(euler.kl_limit)
    # Fewer points than make a covariance: KL is infinite, and there is nothing to gain.
    assert found["gain_euler"][0] == found["gain_ddpm_large"][0] == 0
    notes = " ".join(predict("best-steps", **options).split("\n\n")[-1].split())
    assert "S* euler is infinite where more steps always help, and for n <= d, where KL" in notes


@pytest.mark.parametrize(
    ("samplers", "option", "says"),
    [
        ("heun", "--schedule", "no effect on the samplers heun: leave it out, or add ddpm or ddim"),
        ("ddpm", "--ode-schedule", "no effect on the samplers ddpm: leave it out, or add euler"),
    ],
)
def test_best_steps_refuse_a_schedule_that_no_sampler_takes(
    ornstein: Callable, samplers: str, option: str, says: str
) -> None:
    result = ornstein("predict", "best-steps", "--samplers", samplers, option, "cosine")
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert says in result.err


def test_where_no_noise_leaks_most(predict: Callable) -> None:
    out = predict("membership", dim=40, n_train=900, noise_variance="0.1")
    assert "at s^2 = 0.001 or less" in out


def test_where_the_theory_of_a_study_differs_is_said(predict: Callable) -> None:
    """`linear` counts the start variance of each training set, this and the explorer do not."""
    sizes = (12, 30)
    study = LinearStudy(LinearOptions(spectrum="6,2,1,1,0.5,0.1", train_sizes=sizes))
    beside = predicted(study, sizes)
    told = json.loads(predict("one-step", spectrum="6,2,1,1,0.5,0.1", n_train="12,30", json=True))
    for shown, column in (("kl", "kl"), ("wasserstein_squared", "wasserstein2"), ("trace",) * 2):
        apart = np.array(told[shown]) / beside[column] - 1
        assert (np.abs(apart) > 1e-4).all()
        assert (np.abs(apart) < 1 / 6).all()
    out = " ".join(predict("one-step", spectrum="6,2,1,1,0.5,0.1", n_train="12,30").split())
    assert (
        "Sampling starts from the population's variance here; the theory of ornstein linear" in out
    )


def test_spectra_of_data_come_with_a_caveat(predict: Callable, tmp_path: Path) -> None:
    caveat = "For a Gaussian of this covariance."
    assert caveat in predict("one-step", spectrum="digits", n_train="100,200")
    assert caveat not in predict("one-step", spectrum="2,1", n_train=20)
    np.save("eigenvalues.npy", np.array([2.0, 1.0, 0.0]))
    out = predict("collapse", spectrum="eigenvalues.npy", n_train=30)
    assert "d = 3, spectrum of eigenvalues.npy (1 of them 0)" in " ".join(out.split())


def test_attacks_beside_the_theory(document: Callable, predict: Callable) -> None:
    options = {"spectrum": "3,1,0.5,0.2,0.1", "n_train": 40, "noise_variance": "0.5,0.04"}
    options |= {"simulate": "linear,empirical", "held_out": 300, "seed": 5}
    options |= {"false_positive_rate": 0.1}
    values, noises = np.array([3.0, 1.0, 0.5, 0.2, 0.1]), np.array([0.5, 0.04])
    attacks = attack_models(
        {"linear": fit_linear, "empirical": fit_empirical},
        Gaussian(np.zeros(5), values),
        40,
        np.sqrt(noises),
        held_out=300,
        false_positive_rate=0.1,
        random_state=5,
    )
    law = theory.membership(values, noises, 40)
    out, found = predict("membership", **options), document("membership", **options)
    shown = table_of(out)
    expected = {"s^2": noises, "theory": law.auc, "power": law.power(0.1)}
    for name, attack in attacks.items():
        expected |= {name: attack.auc, f"p {name}": attack.power}
        for what in ("auc", "power"):
            for end in ("", "_low", "_high"):
                np.testing.assert_allclose(
                    found[f"{what}_{name}{end}"], getattr(attack, what + end), rtol=1e-12
                )
    assert set(shown) == set(expected)
    for heading, numbers in expected.items():
        np.testing.assert_allclose(as_numbers(shown[heading]), numbers, rtol=2e-3)
    assert "attacked with 40 members and 300 others, seed 5" in out
    wide = max((a.auc_high - a.auc_low).max() / 2 for a in attacks.values())
    assert f"95% intervals of the AUC within +-{wide:.3f}" in out
    (axis,) = prediction_figure(PREDICTIONS["membership"](**options)).axes
    lines = {line.get_label(): line for line in axis.lines}
    assert {"theory, linear", "attack on linear", "attack on empirical"} <= set(lines)
    np.testing.assert_allclose(lines["attack on linear"].get_ydata(), attacks["linear"].auc[::-1])
    x, y = (np.asarray(part) for part in lines["theory, linear"].get_data())
    np.testing.assert_allclose(y, theory.membership(values, x, 40).auc)


def test_a_network_is_attacked_too(document: Callable) -> None:
    found = document(
        "membership",
        dim=6,
        n_train=30,
        noise_variance="0.1",
        simulate="mlp",
        training_steps=5,
        held_out=50,
    )
    assert 0 < found["auc_mlp_low"][0] < found["auc_mlp"][0] < found["auc_mlp_high"][0] < 1


# ---- phase maps

PHASES = {
    ("kl", "time"): ({"noise_scale": 1.7, "std": 1.2}, "noise scale 1.7, std 1.2"),
    ("kl", "noise_scale"): ({"time": 0.7, "std": 1.2}, "time 0.7, std 1.2"),
    ("delta", "time"): (
        {"noise_scale": 1.7, "std": 1.2, "originals": 500},
        "noise scale 1.7, std 1.2, originals 500",
    ),
    ("delta", "noise_scale"): (
        {"time": 0.7, "std": 1.2, "originals": 500},
        "time 0.7, std 1.2, originals 500",
    ),
    ("kl of a spectrum", "time"): (
        {"noise_scale": 1.7, "spectrum": "power-law:0.5"},
        "noise scale 1.7",
    ),
    ("kl of a spectrum", "noise_scale"): ({"time": 0.7, "spectrum": "power-law:0.5"}, "time 0.7"),
    ("hellinger", "time"): ({"noise_scale": 1.7, "std": 1.2}, "noise scale 1.7, std 1.2"),
    ("hellinger of a spectrum", "noise_scale"): (
        {"time": 0.7, "spectrum": "power-law:0.5"},
        "time 0.7",
    ),
    ("auc", "noise"): ({"spectrum": "power-law:0.5"}, "power-law:0.5"),
    ("test_loss", "noise"): ({"spectrum": "power-law:0.5"}, "power-law:0.5"),
    ("excess_loss", "noise"): ({"spectrum": "power-law:0.5"}, "power-law:0.5"),
    ("test_loss", "train_time"): ({"noise": 0.8, "init": 0.4}, "noise 0.8, init 0.4"),
    ("excess_loss", "train_time"): ({"noise": 0.8, "init": 0.4}, "noise 0.8, init 0.4"),
}
EVERY_PHASE = pytest.mark.parametrize(("quantity", "y"), PHASES)


def phase_options(quantity: str, y: str) -> dict[str, Any]:
    options, _ = PHASES[quantity, y]
    axes = {"x_range": "10:300", "y_range": "0.1:3", "points": 7, "dim": 20}
    return {"quantity": command_of(quantity), "y": y, **axes, **options}


@cache
def phase_map(quantity: str, y: Any) -> Any:
    sizes = np.unique(np.geomspace(10, 300, 7).round())
    rows = np.geomspace(0.1, 3, 7)
    one_step: Any = {"dim": 20, "time": 0.7, "noise_scale": 1.7, "std": 1.2}
    if quantity == "kl of a spectrum":
        given = {name: one_step[name] for name in ("time", "noise_scale")}
        return any_spectrum_kl_map(sizes, rows, power_law(0.5, 20), y, **given)
    if quantity.startswith("hellinger"):
        values = power_law(0.5, 20) if "spectrum" in quantity else np.full(20, 1.2**2)
        laws = [
            theory.one_step_anisotropic(
                values, sizes, value if y == "time" else 0.7, value if y != "time" else 1.7
            )
            for value in rows.tolist()
        ]
        lines = any_spectrum_kl_map(sizes, rows, values, y, time=0.7, noise_scale=1.7)
        return lines._replace(values=np.stack([law.hellinger_squared for law in laws]))
    if quantity == "auc":
        return membership_map(sizes, rows, power_law(0.5, 20))
    if quantity == "kl":
        return kl_map(sizes, rows, y, **one_step)
    if quantity == "delta":
        return delta_map(sizes, rows, y, **one_step, n_original=500)
    relative = quantity == "excess_loss"
    if y == "noise":
        return denoising_map(sizes, rows, power_law(0.5, 20), relative=relative)
    return early_stopping_map(sizes, rows, dim=20, noise=0.8, init=0.4, relative=relative)


@EVERY_PHASE
def test_phase_documents(document: Callable, quantity: str, y: str) -> None:
    found, expected = document("phase", **phase_options(quantity, y)), phase_map(quantity, y)
    keys = ["quantity", "dim", "x", "y", "x_values", "y_values", "values", "log_abs", "lines"]
    assert list(found) == keys
    assert [found[key] for key in keys[:4]] == [command_of(quantity), 20, "train_size", y]
    for key, values in (("x_values", expected.x), ("y_values", expected.y)):
        np.testing.assert_allclose(found[key], values, rtol=1e-12)
    np.testing.assert_allclose(as_floats(found["values"]), expected.values, rtol=1e-12)
    assert (found["log_abs"] is None) == (quantity != "delta")
    if quantity == "delta":
        np.testing.assert_allclose(found["log_abs"], expected.log_abs, rtol=1e-12)
    assert found["lines"].keys() == expected.lines.keys()
    for name, (x, y_line) in expected.lines.items():
        for axis, values in (("x", x), ("y", y_line)):
            line = [np.nan if v is None else v for v in found["lines"][name][axis]]
            np.testing.assert_allclose(line, values, rtol=1e-12)


@EVERY_PHASE
def test_phase_tables(predict: Callable, quantity: str, y: str) -> None:
    out = predict("phase", **phase_options(quantity, y))
    expected = phase_map(quantity, y)
    shown = table_of(out)
    heading, *sizes = shown
    assert heading == y
    assert len(sizes) == 6
    assert {"n=10", "n=300"} <= set(sizes)
    rows = [int(np.abs(expected.y / value - 1).argmin()) for value in as_numbers(shown[y])]
    np.testing.assert_allclose(as_numbers(shown[y]), expected.y[rows], rtol=6e-3)
    for size in sizes:
        (column,) = np.flatnonzero(expected.x == float(size.removeprefix("n=")))
        np.testing.assert_allclose(
            as_numbers(shown[size]), expected.values[rows, column], rtol=2e-5
        )
    title, notes = out.split("\n\n")[0], out.split("\n\n")[-1]
    assert "d = 20" in title
    assert PHASES[quantity, y][1] in title
    assert ("Laplace" in title) == (quantity == "delta")
    assert f"Within the map: {', '.join(expected.lines)}" in notes
    assert ("infinite for n <= d + 2" in notes) == (quantity == "kl")
    assert ("infinite for n - 1 below the rank" in notes) == (quantity == "kl of a spectrum")
    words = {"kl": "KL(generated || population) / d, nats", "delta": "Delta relative to its terms"}
    words |= {"test_loss": "test loss / d", "excess_loss": "test loss / optimum - 1"}
    words |= {"auc": "AUC of the membership attack", "hellinger": "squared Hellinger distance"}
    assert words[command_of(quantity)] in title
    assert f"n=...: {words[command_of(quantity)]}, at that training size" in notes


def test_the_second_parameter_of_a_map_has_a_default(document: Callable) -> None:
    for quantity, y in (("kl", "time"), ("test_loss", "noise"), ("excess_loss", "noise")):
        assert document("phase", quantity=quantity, points=3)["y"] == y


# ---- what people see

ODD = (
    "one-step --n-train 400",
    "one-step --n-train 3,1000000000000 --std 1000000",
    "one-step --dim 1 --n-train 2:9",
    "spectrum --aspect-ratio 1",
    "spectrum --aspect-ratio 0.99",
    "wishart-kl --dim 5 --n-train 1:20",
    "sample-covariance --spectrum power-law:2 --n-train 50",
    "sample-covariance --spectrum 9,8,7,6,5,4,3,2,1,0.5,0.25,0.125,0.0625,0.03125,0.01,0.001",
    "renormalized-noise --noise-variance 0 --n-train 50,100,200",
    "generated-variance --spectrum power-law:1 --train-time 0.00001,123456789",
    "emergence --spectrum power-law:3",
    "early-stopping --init 0",
    "speciation --spectrum isotropic",
    "cloning --time 0:0.5:0.1",
    "collapse --n-train 1",
    "random-features --noise-draws 12345 --ridge 0.00000123456",
    "phase --x-range 2:100000000 --points 20",
    "phase --quantity delta --dim 5 --x-range 3:60 --points 20",
    "phase --quantity auc --spectrum digits --points 12",
    "phase --spectrum 3,1,0 --x-range 3:60 --points 6",
    "one-step --spectrum digits --n-train 20:700:20",
    "spectrum --spectrum 3,3,3,3,.01,.01 --n-train 60 --noise-scale 0.05",
    "spectrum --spectrum power-law:1 --relative-to scale --n-train 40",
    "delta --dim 8,16,100,333,1000 --points-per-dimension 1.15,50,100 --originals 1000000",
    "best-steps --dim 5 --samplers ddim:0.5,ddpm:large --points-per-dimension 2,40",
    "grid --spectrum power-law:1 --steps 100,1000",
    "membership --n-train 100,1000,10000,100000,1000000",
    "recursion --fresh-fraction 0.33",
    "noisy-data --noise-variance 0.1 --n-train 50,100,1000",
)


@pytest.mark.parametrize("line", [*PREDICTIONS, *ODD])
def test_text_fits_a_terminal(ornstein: Callable, line: str) -> None:
    result = ornstein("predict", *line.split())
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert 1 <= len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert "nan" not in result.out
    assert not re.search(r"\binf\b", result.out)


def test_sizes_are_printed_as_whole_numbers(predict: Callable) -> None:
    shown = table_of(predict("collapse", n_train="100,10000000,123456789"))
    assert shown["n"] == ["100", "10000000", "123456789"]
    assert "n = 10000000 points" in predict("sample-covariance", n_train=10_000_000)


def test_a_population_of_many_given_eigenvalues_is_summed_up(predict: Callable) -> None:
    out = predict("collapse", spectrum="9,5,4,3,2,0.5")
    assert "d = 6, spectrum from 0.5 to 9" in out


def test_a_support_without_end_and_one_that_begins_early(predict: Callable) -> None:
    out = predict("spectrum", aspect_ratio=1)
    assert "support from 0 to infinity" in out
    assert "Given up to 10: the support has no end." in out
    out = predict("spectrum", spectrum="2,1,0.5", n_train=4)
    assert "support from 0 to infinity" in out
    assert "Given up to 10: the support has no end." in out
    out = predict("sample-covariance", spectrum="power-law:2", n_train=50)
    assert "Given from 0.00132 on: the support begins at 6.89e-05 (see --x)." in out


def test_a_model_of_too_few_of_its_own_samples(predict: Callable) -> None:
    out = predict("recursion", dim=8, n_train=5)
    assert "KL is infinite; tr S^2 grows without limit" in out
    assert table_of(out)["KL"][:2] == ["0", "infinite"]


def test_training_sizes_of_delta_are_whole_numbers(predict: Callable, document: Callable) -> None:
    options = {"dim": "8,100", "points_per_dimension": "1.15,2.3"}
    assert document("delta", **options)["n_train"] == [[10, 115], [18, 230]]
    assert "n is rounded: at d = 8 it is 10, 18.\n" in predict("delta", **options)
    assert "at d = 100" not in predict("delta", **options)


def test_best_never_to_stop(predict: Callable, document: Callable) -> None:
    assert "best never to stop: test loss 0.610282" in predict("early-stopping", init=0)
    assert document("early-stopping", init=0)["best_time"] == "inf"
    (axis,) = prediction_figure(PREDICTIONS["early-stopping"](init=0.0)).axes
    assert "best time to stop" not in {line.get_label() for line in axis.lines}


def test_no_class_to_choose(predict: Callable) -> None:
    assert "there is no class to choose" in predict("speciation", spectrum="isotropic")
    assert "there is no class to choose" not in predict("speciation")


# ---- files of figures


def test_a_figure_is_announced_and_the_text_is_the_same(ornstein: Callable, tmp_path: Path) -> None:
    plain = ornstein("predict", "one-step", "--json")
    drawn = ornstein("predict", "one-step", "--json", "--plot", "x.png")
    assert (drawn.status, drawn.out) == (0, plain.out)
    assert drawn.err == "ornstein: wrote x.png\n"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert plain.err == ""


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("figure.nothing", "--plot: given 'figure.nothing', expected a file name in .svg, .png"),
        ("figure", "--plot: given 'figure', expected a file name in .svg, .png or .pdf"),
        ("/proc/no/such.png", "cannot read or write '/proc/no/such.png'"),
        ("none/such.svg", "cannot read or write 'none/such.svg'"),
        ("folder.png", "cannot read or write 'folder.png': Is a directory"),
    ],
)
def test_a_plot_that_cannot_be_written_is_refused_before_anything_is_computed(
    ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, says: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    monkeypatch.setitem(PREDICTIONS, "one-step", never)
    result = ornstein("predict", "one-step", "--plot", file)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("ornstein: error: ")
    assert result.err.count("\n") == 1
    assert says in result.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.png"]


def never(dim: int = 3) -> Any:
    """Fail: nothing was to be computed.

    Parameters
    ----------
    dim : int
        not looked at
    """
    raise AssertionError(dim)


def test_a_figure_that_fails_leaves_files_as_they_were(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_text("mine")
    for file in ("mine.png", "new.png"):
        result = ornstein("predict", "phase", "--x-range", "10:90", "--plot", file)
        assert result.status == 2
        assert "infinite everywhere: move the training sizes" in result.err
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"mine.png": "mine"}


# ---- options

SHARED = ("--plot PLOT", "draw into this file (.svg, .png, .pdf)", "--json")


@pytest.mark.parametrize("name", PREDICTIONS)
def test_plot_and_json_are_options_of_every_prediction(ornstein: Callable, name: str) -> None:
    help_text = " ".join(ornstein("predict", name, "--help").out.split())
    for words in SHARED:
        assert words in help_text
    assert "left out" not in help_text
    printed = ornstein("predict", name, "--print_config").out
    assert "plot: null" in printed
    assert "json: false" in printed


def test_plot_and_json_can_come_from_a_file(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "given.yaml").write_text("plot: x.svg\njson: true\nn_train: [100, 200]\n")
    result = ornstein("predict", "wishart-kl", "--config", "given.yaml")
    assert json.loads(result.out)["n_train"] == [100, 200]
    assert "KL / d, nats" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("phase --quantity kl --y noise", "--y: given 'noise', expected time or noise_scale"),
        ("phase --x-range 9", "--x-range: given '9', expected low:high with 0 < low < high"),
        ("phase --y-range 3:1", "--y-range: given '3:1', expected low:high"),
        ("phase --points 1", "--points is 1, expected at least 2"),
        ("phase --quantity delta --spectrum power-law:1", "expected isotropic unless --y is noise"),
        ("phase --quantity test_loss --y train_time --spectrum 2,1", "expected isotropic unless"),
        ("phase --spectrum power-law:1 --std 2", "--std: given 2, which counts for isotropic only"),
        ("phase --quantity auc --y time", "--y: given 'time', expected noise for auc"),
        ("phase --quantity auc --time 1", "--time: given 1, which does not count for auc over"),
        ("spectrum --n-train 40", "--n-train: given 40, which does not count for isotropic"),
        ("spectrum --spectrum 2,1 --signal-fraction 0.3", "which does not count for another"),
        ("best-steps --samplers ddpm,ddim,heun,euler", "--samplers: given 4, expected at most 2"),
        ("best-steps --samplers best", "best"),
        ("delta --dim 5", "--dim is 5, expected 8 to 1000: P(Delta > 0) is not known beyond"),
        ("delta --dim 8,9,10,11,12,13", "--dim: given 6 dimensions, expected at most 5"),
        ("delta --points-per-dimension 1.1", "given 1.1, expected 1.15 to 100: P(Delta > 0) is"),
        ("delta --originals 1", "originals is 1"),
        ("best-steps --points-per-dimension 0.01", "given 0.01, which is less than 2 points of"),
        ("grid --steps 0", "--steps: given 0, expected at least 1"),
        ("grid --noise-min 90", "expected smallest < largest"),
        ("membership --n-train 1,2,3,4,5,6", "--n-train: given 6 training sizes, expected at"),
        ("membership --auc-bound 0.5", "auc is 0.5, expected a number between 1/2 and 1"),
        (
            "membership --false-positive-rate 2",
            "--false-positive-rate is 2, expected a number from 0 to 1",
        ),
        ("membership --simulate best", "--simulate: given 'best', expected any of linear, emp"),
        ("membership --simulate linear --n-train 9,30", "given 2 training sizes, expected one to"),
        ("membership --seed 3", "--seed: given 3, which does not count without --simulate: leave"),
        ("membership --held-out 5", "--held-out: given 5, which does not count without --simul"),
        (
            "membership --simulate linear --training-steps 5",
            "does not count without --simulate mlp",
        ),
        ("recursion --fresh-fraction 2", "--fresh-fraction is 2, expected a number from 0 to 1"),
        ("guidance --guidance=-2", "guidance is -2, expected a number from -1 to 1e+06"),
        ("guidance --pooled-variance 0", "--pooled-variance is 0 where --class-variance is not"),
        ("guided-class --guidance 1,2,3,4,5,6", "--guidance: given 6 strengths, expected at most"),
        ("guided-class --guidance=-1", "guidance is -1, expected a finite number >= 0"),
        (
            "noisy-data --data-noise-variance 1",
            "--noise-variance is 0.4 and --data-noise-variance 1",
        ),
        ("one-step --spectrum digits --dim 3", "--spectrum: digits has 64 eigenvalue(s) and --dim"),
        ("phase --time 3", "--time: given 3, which does not count for kl over time: leave it out"),
        ("phase --y noise_scale --noise-scale 3", "does not count for kl over noise_scale"),
        ("phase --originals 7", "--originals: given 7, which does not count for kl over time"),
        ("phase --noise 2", "--noise: given 2, which does not count for kl over time"),
        ("phase --init 0", "--init: given 0, which does not count for kl over time"),
        ("phase --quantity test_loss --std 2", "--std: given 2, which does not count"),
        ("phase --quantity test_loss --y noise --noise 2", "--noise: given 2, which does not"),
        ("phase --quantity test_loss --y train_time --time 1", "--time: given 1, which does not"),
        ("collapse --spectrum flat", "--spectrum: given 'flat', expected isotropic, power-law:"),
        ("collapse --spectrum isotropic:3", "--spectrum: given 'isotropic:3', expected"),
        ("collapse --spectrum power-law", "--spectrum: given 'power-law', expected"),
        ("collapse --spectrum power-law:nan", "--spectrum: given 'power-law:nan', expected"),
        ("collapse --spectrum power-law:-400", "--spectrum: given 'power-law:-400', expected"),
        ("collapse --spectrum 1,inf", "--spectrum: given '1,inf', expected"),
        ("collapse --spectrum 1,-2", "expected numbers >= 0, not all of them 0"),
        ("collapse --spectrum 0,0", "expected numbers >= 0, not all of them 0"),
        ("collapse --spectrum 1,2 --dim 5", "given 2 eigenvalue(s) and --dim 5: leave --dim out"),
        ("emergence --dim 5", "--dim 5: leave --dim out, or give --spectrum isotropic"),
        ("collapse --dim 0", "dim is 0, expected at least 1"),
        ("collapse --n-train many", "--n-train: given 'many', expected whole numbers"),
        ("renormalized-noise --noise-variance -1", "--noise-variance is -1, expected"),
        ("generated-variance --sigma-min 100", "expected --sigma-min <= --sigma-max"),
        ("early-stopping --train-time=-1", "expected"),
        ("random-features --ridge 0", "ridge is 0, expected a number from 1e-20"),
        ("random-features --noise-draws 0.5", "--noise-draws is 0.5, expected a number from 1"),
        ("random-features --noise-draws 1,2", "--noise-draws: given '1,2', expected one number"),
        ("random-features --noise-draws many", "--noise-draws: given 'many', expected numbers"),
        ("split-consistency --aspect-ratio 0", "--aspect-ratio is 0, expected"),
        ("sample-covariance --x 0", "x is 0, expected a finite number > 0"),
    ],
)
def test_one_line_and_status_2(ornstein: Callable, arguments: str, says: str) -> None:
    result = ornstein("predict", *arguments.split())
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("ornstein: error: ")
    assert result.err.count("\n") == 1
    assert says in result.err


# ---- start-up


def test_only_the_parser_that_is_needed_is_built(
    ornstein: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["ornstein.cli.predict.answering"]
    built: list[str] = []
    original = module.prediction_parser
    monkeypatch.setattr(
        module, "prediction_parser", lambda f, prog: built.append(f.__name__) or original(f, prog)
    )
    assert ornstein("predict", "speciation").status == 0
    assert built == ["speciation"]


@pytest.mark.parametrize("option", ["--aspect-ratio=0.8", "--signal-fraction=0.504621"])
def test_ratios_have_no_effect_on_another_spectrum(ornstein: Callable, option: str) -> None:
    """Also at the value that they have by default."""
    result = ornstein("predict", "spectrum", "--spectrum", "power-law:1", option)
    assert result.status == 2
    assert "which does not count for another spectrum" in result.err


EXTREMES = {
    "one-step": ("time", "noise-scale", "std", "dim", "n-train"),
    "sample-covariance": ("spectrum", "n-train"),
    "denoising-losses": ("spectrum", "noise-variance"),
    "generated-variance": ("spectrum", "rate", "sigma-min", "sigma-max", "init"),
    "emergence": ("spectrum", "noise", "rate", "init"),
    "early-stopping": ("aspect-ratio", "noise-variance", "train-time", "init"),
    "cloning": ("time", "mean-norm", "std"),
    "random-features": ("time",),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("value", ["5e-324", "1e-300", "1e308", "-1e308", "inf", "nan"])
def test_numbers_at_the_edges_of_float64(ornstein: Callable, name: str, value: str) -> None:
    """A finite answer or one line; no traceback, no warning, no NaN."""
    for option in EXTREMES[name]:
        result = ornstein("predict", name, f"--{option}={value}", "--json")
        if result.status == 0:
            assert result.err == ""
            assert "null" not in result.out, (option, result.out)
        else:
            assert result.status == 2, option
            assert result.err.startswith("ornstein: error: ")
            assert result.err.count("\n") == 1
