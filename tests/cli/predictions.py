"""What predictions have to show: their form, and the cases of sections 11 to 17."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ornstein import theory


class Case(NamedTuple):
    """What one command has to show."""

    options: Mapping[str, Any]
    title: tuple[str, ...]
    """Words of the title: every parameter is among them."""
    table: Mapping[str, tuple[Any, str]]
    """By heading: the values, and words of what they mean."""
    document: Mapping[str, Any]
    x_label: str
    y_label: str
    curves: Mapping[str, Callable[[Any], Any]]
    marks: Mapping[str, float] = {}
    notes: tuple[str, ...] = ()


SPECTRUM = np.array([4.0, 2.0, 1.5, 0.5, 0.25, 0.1])
LISTED = "4,2,1.5,0.5,0.25,0.1"


def between(low: float, high: float, density: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The curve of a density: 0 at the edges of its support, where rounding leaves a root."""
    return lambda x: np.where((x == low) | (x == high), 0.0, density(x))


def one_step_case() -> Case:
    sizes = [5, 7, 20, 90]
    # Scaled to the mean variance 1.2^2.
    values = SPECTRUM / SPECTRUM.mean() * 1.44
    found = theory.one_step_anisotropic(values, sizes, 0.7, 1.3)
    mu = 1.3 * (1 - np.exp(-1.4))
    rho2 = values / (values + mu)
    threshold = float((1 / rho2).sum())
    start = values.mean() + mu
    ratio = start * rho2**2 / values
    limit = float((ratio - 1 - np.log(ratio)).sum() / 2)

    def law(n: Any) -> Any:
        return theory.one_step_anisotropic(values, n, 0.7, 1.3)

    return Case(
        {"spectrum": LISTED, "n_train": "5,7,20,90", "time": 0.7, "noise_scale": 1.3, "std": 1.2},
        (
            "d = 6, spectrum from 0.1 to 4",
            "mean variance 1.44",
            "T = 0.7",
            "noise scale 1.3",
            f"rho2 from {rho2.min():.6f} to {rho2.max():.6f}",
            f"n* = {threshold:.2f}",
            f"infinite n = {limit:.5f} nats",
        ),
        {
            "n": (sizes, "training size"),
            "KL, nats": (found.kl, "expected KL(generated || population), total"),
            "Wasserstein^2": (found.wasserstein_squared, "W_2^2, in squared data units"),
            "Hellinger^2": (found.hellinger_squared, "1 - expected affinity"),
            "tr ratio": (found.trace, "expected tr Sigma_G / tr Sigma"),
            "ln det": (found.log_det, "expected ln det(Sigma^-1 Sigma_G), total"),
        },
        {"dim": 6, "spectrum": LISTED, "std": 1.2, "time": 0.7, "noise_scale": 1.3}
        | {"eigenvalues": values, "signal_fraction": rho2, "threshold": threshold}
        | {"kl_infinite_data": limit, "n_train": sizes, "kl": found.kl, "trace": found.trace}
        | {"log_det": found.log_det, "hellinger_squared": found.hellinger_squared}
        | {"wasserstein_squared": found.wasserstein_squared},
        "training size n",
        "distance to the population",
        {
            "KL(gen||pop) / d, nats": lambda n: law(n).kl / 6,
            r"$W_2^2 / \mathrm{tr}\,\Sigma$": lambda n: law(n).wasserstein_squared / values.sum(),
        },
        {"n = d": 6, "n*": threshold},
        (
            "KL, nats is infinite for n - 1 below the rank of Sigma",
            "Wasserstein^2 is infinite for n - 1 within 1 of d",
            "tr ratio is infinite for n - 1 within 1 of d",
            "ln det is infinite for n - 1 below the rank of Sigma",
        ),
    )


def spectrum_case() -> Case:
    s, given = [0.3, 0.9, 30.0], (SPECTRUM, 25, 0.7, 1.3)

    def found(s: Any) -> Any:
        return theory.one_step_anisotropic_spectrum(s, *given, relative_to="scale")

    support = theory.one_step_anisotropic_support(*given, relative_to="scale")
    return Case(
        {"spectrum": LISTED, "n_train": 25, "time": 0.7, "noise_scale": 1.3, "s": "0.3,0.9,30"}
        | {"relative_to": "scale"},
        (
            "singular values s of Sigma_G^(1/2), over std",
            "d = 6, spectrum from 0.1 to 4",
            "n = 25",
            "T = 0.7",
            "noise scale 1.3",
            f"support from {support[0, 0]:.6g} to {support[0, 1]:.6g}",
        ),
        {
            "s": (s, "singular value, in units of the root of the mean variance"),
            "density": (found(s), "of the singular values that are not 0"),
        },
        {"dim": 6, "spectrum": LISTED, "n_train": 25, "time": 0.7, "noise_scale": 1.3}
        | {"relative_to": "scale", "support": support, "s": s, "density": found(s)},
        r"singular value of $\Sigma_G^{1/2}$ / std",
        "density",
        {"density": between(support[0, 0], support[-1, 1], found)},
        {},
        ("Outside the support the density is 0.",),
    )


def delta_case() -> Case:
    ratios, dims = [1.3, 2.0, 4.5], [10, 30]
    sizes = np.array([[13, 39], [20, 60], [45, 135]])

    def share(d: Any, n: Any) -> Any:
        return theory.delta_positive_probability(d, n, 500, 0.7, 1.3, 1.6)

    def curve(d: int) -> Callable[[Any], Any]:
        return lambda ratio: share(d, np.round(np.asarray(ratio) * d).astype(int))

    found = np.stack([share(d, sizes[:, place]) for place, d in enumerate(dims)], axis=1)
    return Case(
        {"dim": "10,30", "points_per_dimension": "1.3,2,4.5", "originals": 500}
        | {"time": 0.7, "noise_scale": 1.3, "std": 1.6},
        (
            "P(Delta > 0) of the one-step linear denoiser on N(m, 1.6^2 I), d = 10, 30",
            "T = 0.7",
            "noise scale 1.3",
            "500 originals in expectation",
        ),
        {
            "n/d": (ratios, "training size over dimension"),
            "d = 10": (found[:, 0], "P(Delta > 0) in 10 dimensions"),
            "d = 30": (found[:, 1], "P(Delta > 0) in 30 dimensions"),
        },
        {"dim": dims, "originals": 500, "time": 0.7, "noise_scale": 1.3, "std": 1.6}
        | {"points_per_dimension": ratios, "n_train": sizes, "probability": found},
        "training size over dimension n/d",
        "P(Delta > 0)",
        {f"d = {d}": curve(d) for d in dims},
        {},
        ("Within 0.03 of simulations", "ornstein linear has it in the column perfect model"),
    )


def best_steps_case() -> Case:
    ratios, values = [2.0, 5.0, 9.0], SPECTRUM[1:5]

    def found(ratios: Any) -> np.ndarray:
        sizes = np.round(np.asarray(ratios) * 4).astype(int)
        return np.array(
            [theory.best_steps(values, int(n), "heun", "karras", ridge=0.01) for n in sizes]
        ).T

    steps, kl, limit = found(ratios)
    gain = 100 * (1 - kl / limit)
    return Case(
        {"spectrum": "2,1.5,0.5,0.25", "points_per_dimension": "2,5,9", "samplers": "heun"}
        | {"ridge": 0.01},
        ("d = 4", "spectrum 2,1.5,0.5,0.25", "schedule linear", "samplers karras", "ridge 0.01"),
        {
            "n/d": (ratios, "training size over dimension"),
            "S* heun": (steps, "number of steps of least expected KL"),
            "gain heun": (gain, "KL is below its limit, in %"),
        },
        {"dim": 4, "spectrum": "2,1.5,0.5,0.25", "samplers": "heun", "ridge": 0.01}
        | {"schedule": "linear", "ode_schedule": "karras"}
        | {"points_per_dimension": ratios, "n_train": [8, 20, 36]}
        | {"steps_heun": steps, "kl_heun": kl, "kl_limit_heun": limit, "gain_heun": gain},
        "training size over dimension n/d",
        "best number of steps S*",
        {"heun": lambda ratios: found(ratios)[0]},
    )


def kept(noises: np.ndarray) -> np.ndarray:
    """Logarithm of what Euler's steps leave of the standard deviation, mode by mode."""
    s, after, variance = noises[:-1], noises[1:], SPECTRUM[:, None]
    spread = np.sqrt((variance + s**2) * (variance + after**2))
    return np.log((variance + s * after) / spread).sum(axis=1)


def grid_case() -> Case:
    counts, ends = [2, 9, 40], (50.0, 0.01)

    def karras(steps: int) -> np.ndarray:
        ramp = np.linspace(0, 1, steps + 1)
        return (50 ** (1 / 7) + ramp * (0.01 ** (1 / 7) - 50 ** (1 / 7))) ** 7

    def tangent(steps: int) -> np.ndarray:
        return theory.tangent_grid(SPECTRUM, steps, 0.01, 50.0)

    def kl(grid: Callable[[int], np.ndarray]) -> Callable[[Any], Any]:
        def of(numbers: Any) -> np.ndarray:
            logs = np.array([kept(grid(int(count))) for count in numbers])
            return (np.expm1(2 * logs) - 2 * logs).mean(axis=1) / 2

        return of

    grids = {
        "tangent": kl(tangent),
        "karras": kl(karras),
        "log": kl(lambda steps: np.geomspace(*ends, steps + 1)),
    }
    found = {name: function(counts) for name, function in grids.items()}
    return Case(
        {"spectrum": LISTED, "steps": "2,9,40", "noise_min": 0.01, "noise_max": 50.0},
        (
            "noise levels from 50 to 0.01",
            "d = 6, spectrum from 0.1 to 4",
            "for the population's own denoisers; KL to the population noised by the last level",
        ),
        {
            "S": (counts, "number of steps"),
            "tangent": (found["tangent"], "KL / d, nats, on the grid made for the spectrum"),
            "Karras": (found["karras"], "KL / d on Karras' grid, rho = 7"),
            "geometric": (found["log"], "KL / d on a geometric grid"),
        },
        {"dim": 6, "spectrum": LISTED, "noise_min": 0.01, "noise_max": 50.0}
        | {"levels": tangent(40), "steps": counts, **found},
        "number of steps S",
        "KL / d, nats",
        {
            "made for the spectrum": grids["tangent"],
            "Karras": grids["karras"],
            "geometric": grids["log"],
        },
    )


def membership_case() -> Case:
    noises = [0.02, 0.3, 5.0]

    def law(noises: Any) -> Any:
        return theory.membership(SPECTRUM, noises, 9)

    found = law(noises)
    noise, auc = theory.most_revealing_noise(SPECTRUM, 9)
    bound = theory.points_for_auc(SPECTRUM, noise, 0.6)
    return Case(
        {"spectrum": LISTED, "n_train": "9", "noise_variance": "0.02,0.3,5"}
        | {"false_positive_rate": 0.05, "auc_bound": 0.6},
        (
            "linear denoisers, d = 6, spectrum from 0.1 to 4",
            f"n = 9: largest AUC {auc:.4f} at s^2 = {noise:.4g}; 0.6 there at n = {bound:.4g}",
        ),
        {
            "s^2": (noises, "noise variance, squared data units"),
            "ratio": (found.ratio, "mean residual of members over that of others"),
            "member": (found.member_mean, "residual |x - D(x)|^2 of a training point"),
            "other": (found.non_member_mean, "the same of a fresh point"),
            "AUC": (found.auc, "share of pairs in which the member has the smaller"),
            "power": (found.power(0.05), "share of members found at 5 % false positives"),
        },
        {"dim": 6, "spectrum": LISTED, "n_train": [9], "false_positive_rate": 0.05}
        | {"auc_bound": 0.6, "most_revealing_noise": [noise], "largest_auc": [auc]}
        | {"points_for_auc": [bound], "noise_variance": noises, "ratio": found.ratio}
        | {"member_mean": found.member_mean, "non_member_mean": found.non_member_mean}
        | {"auc": found.auc, "power": found.power(0.05)},
        "noise variance s^2, squared data units",
        "AUC and power",
        {"AUC": lambda s2: law(s2).auc, "power at 5 %": lambda s2: law(s2).power(0.05)},
        {"leaks most": noise},
    )


def many_members_case() -> Case:
    noises, sizes = [0.02, 0.3, 5.0], [9, 400]
    aucs = {n: theory.membership(SPECTRUM, noises, n).auc for n in sizes}
    worst = {n: theory.most_revealing_noise(SPECTRUM, n) for n in sizes}
    bounds = [theory.points_for_auc(SPECTRUM, worst[n][0], 0.55) for n in sizes]

    def auc(n: int) -> Callable[[Any], Any]:
        return lambda s2: theory.membership(SPECTRUM, s2, n).auc

    return Case(
        {"spectrum": LISTED, "n_train": "9,400", "noise_variance": "0.02,0.3,5"},
        (
            f"n = 9: largest AUC {worst[9][1]:.4f} at s^2 = {worst[9][0]:.4g};",
            f"n = 400: largest AUC {worst[400][1]:.4f} at s^2 = {worst[400][0]:.4g};",
            f"0.55 there at n = {bounds[1]:.4g}",
        ),
        {
            "s^2": (noises, "noise variance, squared data units"),
            "AUC n=9": (aucs[9], "share of pairs in which the member has the smaller"),
            "AUC n=400": (aucs[400], "share of pairs in which the member has the smaller"),
        },
        {"dim": 6, "spectrum": LISTED, "n_train": sizes, "false_positive_rate": 0.01}
        | {"auc_bound": 0.55, "most_revealing_noise": [worst[n][0] for n in sizes]}
        | {"largest_auc": [worst[n][1] for n in sizes], "points_for_auc": bounds}
        | {"noise_variance": noises, "auc_9": aucs[9], "auc_400": aucs[400]},
        "noise variance s^2, squared data units",
        "AUC",
        {"n = 9": auc(9), "n = 400": auc(400)},
        {f"leaks most at n = {n}": worst[n][0] for n in sizes},
    )


def recursion_case() -> Case:
    generations = [0, 1, 4, 11]
    kl = theory.recursive_kl(5, 30, generations)
    known = theory.recursive_kl(5, 30, generations, fitted_mean=False)
    square, trace = theory.recursive_variance(5, 30, generations)
    return Case(
        {"dim": 5, "n_train": 30, "generations": "0,1,4,11"},
        ("n = 30 of its own samples, d = 5", f"KL grows by {kl[1]:.6g} nats a generation"),
        {
            "k": (generations, "generation, the population is 0"),
            "KL": (kl, "expected KL(generation || population), total nats, mean fitted"),
            "KL known mean": (known, "the same with a known mean"),
            "tr S^2/d": (square, "S the covariance of a generation, mean known"),
            "(tr S)^2/d^2": (trace, "both are 1 for the population"),
        },
        {"dim": 5, "n_train": 30, "fresh_fraction": 0.0, "limit_square": np.inf}
        | {"limit_trace_square": np.inf, "generations": generations, "kl": kl}
        | {"kl_known": known, "square": square, "trace_square": trace},
        "generation k, the population is 0",
        "KL(generation || population), nats",
        {
            "KL, mean fitted": lambda k: theory.recursive_kl(5, 30, k),
            "KL, mean known": lambda k: theory.recursive_kl(5, 30, k, fitted_mean=False),
        },
    )


def fresh_case() -> Case:
    generations = [1, 3, 20]

    def part(index: int) -> Callable[[Any], Any]:
        return lambda k: theory.recursive_variance(5, 30, k, 0.35)[index]

    limit = theory.recursive_variance(5, 30, np.inf, 0.35)
    return Case(
        {"dim": 5, "n_train": 30, "generations": "1,3,20", "fresh_fraction": 0.35},
        (
            "a share 0.35 of them fresh (10.5 points)",
            f"tr S^2/d tends to {limit.square:.6g}, (tr S)^2/d^2 to {limit.trace_square:.6g}",
        ),
        {
            "k": (generations, "generation, the population is 0"),
            "tr S^2/d": (part(0)(generations), "S the covariance of a generation"),
            "(tr S)^2/d^2": (part(1)(generations), "both are 1 for the population"),
        },
        {"dim": 5, "n_train": 30, "fresh_fraction": 0.35, "limit_square": limit.square}
        | {"limit_trace_square": limit.trace_square, "generations": generations}
        | {"square": part(0)(generations), "trace_square": part(1)(generations)},
        "generation k, the population is 0",
        "second moments",
        {"tr S^2 / d": part(0), "(tr S)^2 / d^2": part(1)},
        {},
        ("Exact where the number of fresh points is whole.",),
    )


def guidance_case() -> Case:
    strengths = [-1.0, 0.5, 3.0]

    def law(g: Any) -> Any:
        return theory.guided_moments(0.4, 1.7, g, 1.3)

    return Case(
        {"guidance": "-1,0.5,3"}
        | {"class_variance": 0.4, "pooled_variance": 1.7, "class_mean": 1.3},
        ("Guided class N(1.3, 0.4) of all classes N(0, 1.7)", "D = (1 + g) D_class - g D_all"),
        {
            "g": (strengths, "strength of guidance"),
            "variance": (law(strengths).variance, "of the generated law, squared data units"),
            "mean": (law(strengths).mean, "measured from that of all, data units"),
        },
        {"class_variance": 0.4, "pooled_variance": 1.7, "class_mean": 1.3}
        | {"guidance": strengths, "variance": law(strengths).variance}
        | {"mean": law(strengths).mean},
        "strength of guidance g, 0 for the class, -1 for all classes",
        "data units",
        {
            "mean": lambda g: law(g).mean,
            "standard deviation": lambda g: np.sqrt(law(g).variance),
        },
    )


def guided_class_case() -> Case:
    strengths = [0.0, 1.5, 4.0]
    laws = [theory.guided_class_moments(1.2, g, 0.6) for g in strengths]

    def density(g: float) -> Callable[[Any], Any]:
        return lambda y: theory.guided_class_density(y, 1.2, g, 0.6)

    means, variances = [law.mean for law in laws], [law.variance for law in laws]
    there = [density(g)(1.2) for g in strengths]
    return Case(
        {"guidance": "0,1.5,4", "mean_norm": 1.2, "std": 0.6},
        ("at +m, the other at -m, |m| = 1.2, std 0.6",),
        {
            "g": (strengths, "strength of guidance"),
            "mean": (means, "of the generated law along m, data units"),
            "variance": (variances, "along m, squared data units"),
            "density": (there, "of the generated law at the class mean, per data unit"),
        },
        {"mean_norm": 1.2, "std": 0.6, "guidance": strengths, "mean": means}
        | {"variance": variances, "density": there},
        "coordinate along m, data units",
        "density",
        {"g = 0": density(0.0), "g = 1.5": density(1.5), "g = 4": density(4.0)},
        {"class mean": 1.2},
        ("Across m the generated law is that of the class.",),
    )


def noisy_case() -> Case:
    sizes = [3, 15, 200]

    def weights(n: Any) -> Any:
        return theory.noisy_data_weight([2.0, 0.5, 0.1], 0.5, n, 0.2)

    found = weights(sizes)
    return Case(
        {"spectrum": "2,0.5,0.1", "noise_variance": 0.5, "data_noise_variance": 0.2}
        | {"n_train": "3,15,200"},
        (
            "tau^2 = 0.2",
            "s^2 = 0.5",
            "d = 3, spectrum 2,0.5,0.1",
            "infinite n: 0.8000, 0.5000, 0.1",
        ),
        {
            "n": (sizes, "training size"),
            "mode 2": (found[:, 0], "mean weight where the clean population has 2"),
            "mode 0.5": (found[:, 1], "mean weight where the clean population has 0.5"),
            "mode 0.1": (found[:, 2], "mean weight where the clean population has 0.1"),
        },
        {"dim": 3, "spectrum": "2,0.5,0.1", "noise_variance": 0.5, "data_noise_variance": 0.2}
        | {"n_train": sizes, "weight": found},
        "training size n",
        "mean weight of the mode",
        {
            r"$\lambda$ = 2": lambda n: weights(n)[:, 0],
            r"$\lambda$ = 0.5": lambda n: weights(n)[:, 1],
            r"$\lambda$ = 0.1": lambda n: weights(n)[:, 2],
        },
        {"n = d": 3},
    )


ANY_SPECTRUM: dict[str, Callable[[], Case]] = {
    "one-step of a spectrum": one_step_case,
    "spectrum of a spectrum": spectrum_case,
    "delta": delta_case,
    "best-steps": best_steps_case,
    "grid": grid_case,
    "membership": membership_case,
    "membership of many sizes": many_members_case,
    "recursion": recursion_case,
    "recursion with fresh points": fresh_case,
    "guidance": guidance_case,
    "guided-class": guided_class_case,
    "noisy-data": noisy_case,
}
