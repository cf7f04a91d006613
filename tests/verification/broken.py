"""Closed forms of sections 11 to 17, broken on purpose: factors, signs, d/n for n/d, lost terms.

Each function is given a check and the parameters of its experiment, and returns a wrong prediction.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from ornstein import theory
from ornstein.verification import (
    any_spectrum,
    finite_steps,
    learning_curves,
    membership,
    noise_grids,
    noisy_data,
)
from ornstein.verification.checks import Check

Broken = Callable[[Check, dict], float]


def changed(**changes: Callable[[dict], float]) -> Broken:
    """Other parameters than the simulation had."""

    def broken(check: Check, p: dict) -> float:
        return check.predict(**{**p, **{name: change(p) for name, change in changes.items()}})

    return broken


more_points = changed(n_train=lambda p: 2 * p["n_train"])
half_more_points = changed(n_train=lambda p: 3 * p["n_train"] // 2)
no_noise = changed(noise_scale=lambda _: 1e-9)
SPECTRA = {
    "1/k": any_spectrum.power_law,
    "1/k, n < d": any_spectrum.power_law,
    "levels": any_spectrum.two_levels,
    "subspace": any_spectrum.subspace,
}


def needed_by_the_sample(_: Check, p: dict) -> float:
    """By the eigenvalues of sample covariances, as if they were the population's."""
    points = np.random.default_rng(0).standard_normal((20, p["n_points"], p["dim"]))
    samples = points * np.sqrt(learning_curves.spectrum(p["dim"]))
    found = [learning_curves.points_needed(np.linalg.eigvalsh(np.cov(x.T))) for x in samples]
    return float(np.mean(found)) / p["n_points"]


def gaussian_rows(which: str) -> Broken:
    """Losses of Gaussian rows with the covariance of the uneven ones."""

    def broken(_: Check, p: dict) -> float:
        points = learning_curves.uneven_points(p["dim"], p["n_points"])
        values = np.linalg.eigvalsh(np.cov(points.T))
        losses = theory.denoising_losses(values, p["noise_variance"], p["n_train"] - 1)
        return float(getattr(losses, which))

    return broken


def rows_many_times(which: str) -> Broken:
    """Drawn with replacement: each row stands in the data many times."""

    def broken(_: Check, p: dict) -> float:
        points = np.tile(learning_curves.uneven_points(p["dim"], p["n_points"]), (20, 1))
        losses = theory.subset_losses(points, p["noise_variance"], p["n_train"])
        return float(getattr(losses, which))

    return broken


def later(p: dict, generations: int) -> float:
    """KL of an earlier generation of one-step models."""
    noising = p["time"], p["noise_scale"]
    return float(theory.recursive_one_step(p["dim"], p["n_train"], generations, *noising).kl[-1])


def isotropic(side: str) -> Broken:
    """The same formula at equal eigenvalues of the same mean."""

    def broken(check: Check, p: dict) -> float:
        flat = np.full(p["dim"], SPECTRA[side](p["dim"]).mean())
        given = {**check.predict.keywords, "spectrum": lambda _: flat}
        return check.predict.func(*check.predict.args, **given, **p)

    return broken


def inverted_ratio(check: Check, p: dict) -> float:
    """n/d for d/n: as many points as make the other ratio."""
    return check.predict(**{**p, "n_train": max(round(p["dim"] ** 2 / p["n_train"]), 2)})


def noise_of_wrong_power(check: Check, p: dict) -> float:
    """s for s^2."""
    return check.predict(**{**p, "noise_variance": math.sqrt(p["noise_variance"])})


def population_denoiser(which: str, name: str) -> Broken:
    """Of the population's own denoisers: nothing of the n points."""

    def broken(_: Check, p: dict) -> float:
        quality = theory.sampler_quality(
            finite_steps.spectrum(p["dim"]),
            p["steps"],
            finite_steps.NAMES[name],
            finite_steps._schedule(name, p["steps"]),
            mean=finite_steps.centre(p["dim"]),
        )
        return float(getattr(quality, which))

    return broken


def karras(steps: int, low: float, high: float) -> np.ndarray:
    ramp = np.linspace(0, 1, steps + 1)
    return (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7


def kl_of(noises: np.ndarray) -> float:
    logs = np.array([noise_grids.log_kept(noises, v) for v in noise_grids.VARIANCES])
    return float((np.expm1(2 * logs) - 2 * logs).sum() / 2)


def auc_of_gaussians(_: Check, p: dict) -> float:
    """Without the fluctuation of the own weight: that of the sheet, low by O(1/sqrt d)."""
    found = theory.membership(membership.spectrum(p["dim"]), p["noise_variance"], p["n_train"])
    spread = float(found.non_member_log_std) * np.sqrt(1 + float(found.ratio) ** 2)
    return float(ndtr((1 - float(found.ratio)) / spread))


def guided_by(change: Callable[[dict], dict]) -> Broken:
    return lambda check, p: check.predict(**{**p, **change(p)})


def clean_data(check: Check, p: dict) -> float:
    return check.predict(**{**p, "data_noise": 1e-12})


def without_tweedie(check: Check, p: dict) -> float:
    """The weight of the denoiser of noisy points themselves."""
    tau2, s2 = p["data_noise"], p["noise_variance"]
    values = noisy_data.spectrum(p["dim"]) + tau2
    kappa = theory.renormalized_noise(values, s2 - tau2, p["n_train"])
    mode = check.predict.args[0]
    return float(values[mode - 1] / (values[mode - 1] + kappa))


def _one_step() -> dict[str, list[Broken]]:
    names = {
        "1/k": ("KL", "trace", "ln det", "W2^2", "nuclear", "P(s<1)"),
        "levels": ("KL", "trace", "ln det", "W2^2", "P(s<1)", "Hellinger^2"),
        "1/k, n < d": ("trace", "W2^2", "nuclear", "P(s<1)"),
        "subspace": ("KL", "W2^2"),
    }
    broken = {
        f"{name}, {side}": [isotropic(side), more_points]
        for side, which in names.items()
        for name in which
    }
    # The fitted map without noise is the identity: nothing of it depends on the spectrum.
    for name in ("KL, 1/k", "trace, 1/k", "ln det, 1/k", "W2^2, 1/k", "KL, levels"):
        broken[name].append(no_noise)
    # Twice as many points are as many as dimensions there, where W2 has no expectation.
    for name in names["1/k, n < d"]:
        broken[f"{name}, 1/k, n < d"] = [isotropic("1/k, n < d"), half_more_points]
    # What hardly depends on a parameter does not show a slip in it.
    broken["ln det, 1/k"].remove(more_points)
    broken["P(s<1), 1/k, n < d"].remove(half_more_points)
    broken["ln det, levels"] = [more_points, no_noise]
    broken["P(s<1), levels"] = [more_points]
    return broken


BROKEN: dict[str, list[Broken]] = {
    **_one_step(),
    **{
        f"KL at n, {name}": [
            population_denoiser("kl", name),
            more_points,
            # Where the curve over steps is not flat.
            changed(
                steps=lambda p, name=name: p["steps"] // 2 if name == "DDIM" else 2 * p["steps"]
            ),
        ]
        for name in finite_steps.SAMPLERS
    },
    "Hellinger^2, Heun": [population_denoiser("hellinger_squared", "Heun"), more_points],
    "W2^2, DDIM, n > d": [population_denoiser("wasserstein_squared", "DDIM"), more_points],
    "W2^2, DDIM, n < d": [
        population_denoiser("wasserstein_squared", "DDIM"),
        more_points,
        inverted_ratio,
    ],
    "best S, Heun": [changed(n_train=lambda p: 4 * p["n_train"])],
    "KL at best S": [more_points],
    "variance, tangent": [
        # cos^S for cos^2S: the standard deviation.
        lambda check, p: math.sqrt(check.predict(**p)),
        lambda _, p: math.exp(
            2
            * noise_grids.log_kept(
                karras(p["steps"], p["noise_min"], p["noise_max"]), p["eigenvalue"]
            )
        ),
        changed(eigenvalue=lambda p: p["eigenvalue"] ** 2),
        changed(steps=lambda p: p["steps"] + 1),
    ],
    "least KL of a grid": [
        lambda _, p: kl_of(karras(p["steps"], *noise_grids.ENDS)),
        # The tangent grid of one of the two variances, and of their mean.
        *(
            (lambda _, p, v=v: kl_of(theory.tangent_grid([v], p["steps"], *noise_grids.ENDS)))
            for v in (*noise_grids.VARIANCES, noise_grids.VARIANCES.mean())
        ),
        changed(steps=lambda p: p["steps"] + 1),
    ],
    # s^2/kappa for its square; members for others.
    "residuals' ratio": [
        lambda check, p: math.sqrt(check.predict(**p)),
        lambda check, p: 1 / check.predict(**p),
        inverted_ratio,
        noise_of_wrong_power,
    ],
    "member's residual": [
        lambda _, p: residual("non_member_mean", p),
        inverted_ratio,
        noise_of_wrong_power,
    ],
    "other's residual": [
        lambda _, p: residual("member_mean", p),
        inverted_ratio,
        noise_of_wrong_power,
    ],
    "AUC of the attack": [
        auc_of_gaussians,
        more_points,
        inverted_ratio,
        lambda check, p: 1 - check.predict(**p),
    ],
    "power at 10 %": [more_points, inverted_ratio, lambda *_: membership.RATE],
    "AUC, worst noise": [more_points, lambda check, p: 1 - check.predict(**p)],
    "n/d for AUC 0.7": [
        changed(auc=lambda _: 0.76),
        changed(noise_variance=lambda p: p["noise_variance"] ** 2),
        lambda check, p: 1 / check.predict(**p),
    ],
    **{
        name: [
            changed(generations=lambda p: p["generations"] + 1),
            more_points,
            # The other of the two means.
            lambda check, p: check.predict.func(not check.predict.args[0], **p),
        ]
        for name in ("KL, known mean", "KL, fitted mean")
    },
    **{
        name: [
            changed(fresh=lambda _: 0),
            changed(fresh=lambda p: p["fresh"] // 2),
            changed(n_train=lambda p: p["dim"], dim=lambda p: p["n_train"], fresh=lambda _: 1),
        ]
        for name in ("tr S^2, fresh", "(tr S)^2, fresh")
    },
    "stopped score": [
        changed(time=lambda p: p["time"] / 2),
        changed(share=lambda p: 1 - p["share"]),
        changed(generations=lambda p: p["generations"] - 1),
        lambda _, p: p["mean_norm"] ** 2 + 0.25,
    ],
    # d/n for d/(n - d - 2), and the trace of the population.
    **{
        name: [
            lambda _, p: trace_without_floor(p),
            no_noise,
            inverted_ratio,
        ]
        for name in ("one-step, n < 2d+2", "one-step, n > 2d+2")
    },
    **{
        f"{name}, generation 3": [
            # Those of earlier generations.
            lambda check, p: generation(check, p, 1),
            lambda check, p: generation(check, p, 2),
            no_noise,
            more_points,
        ]
        for name in ("mean", "rank")
    },
    "KL, generation 3": [
        # Those of earlier generations, three times the first, and d/n for n/d.
        lambda _, p: later(p, 2),
        lambda _, p: 3 * later(p, 1),
        no_noise,
        more_points,
        inverted_ratio,
    ],
    "mean, guided": [
        lambda _, p: p["class_mean"],
        lambda _, p: p["class_mean"] * (1 + p["guidance"]),
        lambda check, p: 2 * p["class_mean"] - check.predict(**p),
        guided_by(
            lambda p: {
                "class_variance": p["pooled_variance"],
                "pooled_variance": p["class_variance"],
            }
        ),
    ],
    "variance, guided": [
        lambda _, p: p["class_variance"],
        guided_by(lambda p: {"guidance": p["guidance"] + 1}),
        guided_by(lambda p: {"pooled_variance": p["pooled_variance"] ** 2}),
    ],
    "mean, two classes": [
        lambda _, p: p["mean_norm"],
        lambda _, p: p["mean_norm"] * (1 + p["guidance"]),
        guided_by(lambda p: {"guidance": p["guidance"] + 1}),
    ],
    "variance, 2 classes": [
        lambda _, p: p["std"] ** 2,
        # The mixture taken for one Gaussian.
        lambda _, p: float(as_one_gaussian(p).variance),
        guided_by(lambda p: {"std": p["std"] ** 2}),
    ],
    "P(beyond m)": [
        lambda *_: 0.5,
        lambda check, p: 1 - check.predict(**p),
        guided_by(lambda p: {"guidance": p["guidance"] / 2}),
    ],
    **{
        f"noisy mode {k}, {side}": [clean_data, without_tweedie, more_points]
        for k in noisy_data.MODES
        for side in ("n > d", "n < d")
    },
    **{
        name: [
            # That of points that do not depend on the training set; of n - 1 points, d for n.
            lambda *_: 0.5,
            changed(n_train=lambda p: p["n_train"] // 2),
            changed(dim=lambda p: p["n_train"], n_train=lambda p: p["dim"]),
        ]
        for name in ("share, fitted", "share, power law")
    },
    **{
        f"W2^2, subset, {side}": [
            # Of an infinite population; the same with the mean of a finite one.
            changed(n_points=lambda _: 10**9),
            lambda check, p: check.predict(**{**p, "n_points": 10**9}) - 1 / p["n_points"],
            # An independent draw beside each point: variances of both add up.
            changed(n_points=lambda p: 2 * p["n_points"]),
            changed(n_train=lambda p: p["n_train"] // 2),
            changed(dim=lambda p: p["dim"] // 2),
        ]
        for side in ("n > d", "n < d")
    },
    **{
        f"{which} loss, uneven": [
            gaussian_rows(which),
            rows_many_times(which),
            changed(n_train=lambda p: p["n_train"] * 4 // 3),
            changed(noise_variance=lambda p: 1.1 * p["noise_variance"]),
        ]
        for which in ("train", "test")
    },
    "points needed": [
        needed_by_the_sample,
        changed(dim=lambda p: p["dim"] // 2),
        changed(n_points=lambda p: p["n_points"] + p["dim"]),
    ],
    "collapse, subspace": [
        changed(rank=lambda p: p["dim"]),
        # n^(1/D) for n^(2/D).
        lambda _, p: 0.5 * math.log1p(1 / math.expm1(math.log(p["n_train"]) / p["rank"])),
        changed(n_train=lambda p: p["n_train"] ** 2),
    ],
}


def residual(which: str, p: dict) -> float:
    return membership.predict(which, **p)


def generation(check: Check, p: dict, which: int) -> float:
    found = theory.recursive_one_step_spectrum(
        np.ones(p["dim"]), p["n_train"], which, p["time"], p["noise_scale"]
    )[-1]
    rank = found.sum() ** 2 / np.square(found).sum() / p["dim"]
    return float(found.mean() if check.observable == "mean" else rank)


def trace_without_floor(p: dict) -> float:
    noise = p["noise_scale"] * -math.expm1(-2 * p["time"])
    rho2 = 1 / (1 + noise)
    return rho2 + (1 - rho2) * p["dim"] / p["n_train"]


def as_one_gaussian(p: dict) -> theory.GuidedMoments:
    own = p["std"] ** 2
    return theory.guided_moments(own, own + p["mean_norm"] ** 2, p["guidance"], p["mean_norm"])
