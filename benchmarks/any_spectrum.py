"""Theory of any spectrum: milliseconds, a scan of 12 spectra against draws, best steps, grids."""

from __future__ import annotations

__all__ = ["run"]

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import wishart
from threadpoolctl import threadpool_limits

from benchmarks.timing import best_of
from ornstein import OneStepDenoiser, theory
from ornstein.data.spectra import read_spectrum
from ornstein.diffusion.affine_propagation import generated_modes, limit_response, sampler_response
from ornstein.diffusion.grids import Modes, grid_loss
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule, karras_noises
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared

if TYPE_CHECKING:
    from collections.abc import Callable

_RATIOS = (0.2, 0.5, 0.8, 1.2, 1.6, 3.0, 6.0, 15.0, 50.0)
_RUNS, _SETS = 60, 6000


def run() -> None:
    """Print the tables of this file."""
    with threadpool_limits(1):
        _speed()
        _scan()
        _best_steps()
        _grids()


def spectra(d: int) -> dict[str, Any]:
    """Twelve spectra of mean 1, the last with 20 times as many dimensions."""
    k = np.arange(1.0, d + 1)
    some = {
        "isotropic": np.ones(d),
        "two levels": np.repeat([3.0, 0.3], d // 2),
        "power law 0.5": k**-0.5,
        "power law 1": 1 / k,
        "power law 1.5": k**-1.5,
        "power law 2": k**-2.0,
        "spiked": np.where(k <= 3, 30.0, 1.0),
        "with zeros": np.where(k <= 0.6 * d, k**-0.5, 0.0),
        "12 decades": np.geomspace(1, 1e-12, d),
        "digits": read_spectrum("digits"),
        "photo patches": read_spectrum("patches"),
        "power law 1, d x 20": 1 / np.arange(1.0, 20 * d + 1),
    }
    return {name: values / values.mean() for name, values in some.items()}


def _speed() -> None:
    print("## Predictions for any spectrum, one core\n")
    print("| prediction | ms | limit |\n|---|---|---|")
    rows: list[tuple[str, Callable[[], Any], str]] = []
    for d, limit in ((100, "10"), (2000, "100")):
        values = 1 / np.arange(1.0, d + 1)
        values /= values.mean()
        rows += [
            (f"one_step_anisotropic, d = {d}, n/d = {ratio:g}", _one_step(values, ratio), limit)
            for ratio in (0.5, 1.5, 10)
        ]
        rows += [
            (f"membership, d = {d}", _call(theory.membership, values, 0.1, 3 * d), ""),
            (
                f"sampler_quality at n, d = {d}, S = 20",
                _call(theory.sampler_quality, values, 20, n_train=3 * d),
                "",
            ),
            (f"tangent_grid, d = {d}, S = 20", _call(theory.tangent_grid, values, 20), ""),
        ]
    for name, prediction, limit in rows:
        print(f"| {name} | {1e3 * best_of(prediction, 5):.2f} | {limit} |")
    print()


def _call(function: Callable[..., Any], *args: Any, **options: Any) -> Callable[[], Any]:
    return lambda: function(*args, **options)


def _one_step(values: Any, ratio: float) -> Callable[[], Any]:
    return lambda: theory.one_step_anisotropic(values, round(ratio * values.size))


def _scan() -> None:
    print(
        f"## One-step model: theory and the mean of {_RUNS} fits, n/d from {_RATIOS[0]:g} to "
        f"{_RATIOS[-1]:g}\n"
    )
    print(
        "Largest distance over n/d: standard errors beyond 1/D (of a nat, of the mean eigenvalue, "
        "of the trace, of 1 - Hellinger^2), D = (tr Sigma)^2 / tr Sigma^2 the modes that matter, "
        "and relative; d = 40 (data have their own). "
        "Kink: largest change of slope in ln n beyond twice those beside it.\n"
    )
    print("| spectrum | trace | W2^2 | KL | Hellinger^2 | NaN | kink | trace falls from d on |")
    print("|---|---|---|---|---|---|---|---|")
    for name, values in spectra(40).items():
        # Of the largest, the formulas only: a fit takes minutes.
        simulated = [] if values.size > 400 else [_distances(values, r) for r in _RATIOS]
        worst = [_worst([row[k] for row in simulated]) for k in range(4)]
        print(f"| {name} | {' | '.join(worst)} | {' | '.join(_shape(values))} |")
    print()


def _distances(values: Any, ratio: float) -> list[tuple[float, float]]:
    """Standard errors and relative distance, for each of the four fields."""
    n = max(round(ratio * values.size), 2)
    population = Gaussian(np.zeros(values.size), values)
    rng = np.random.default_rng(n)
    laws = [
        OneStepDenoiser(random_state=rng).fit(population.sample(n, rng)).generated_law_
        for _ in range(_RUNS)
    ]
    found = theory.one_step_anisotropic(values, n, fitted_variance=True)
    measured = (
        [law.covariance.trace / values.sum() for law in laws],
        [wasserstein_squared(law, population) for law in laws],
        [kl_divergence(law, population) for law in laws] if values.all() else [np.inf],
        [hellinger_squared(law, population) for law in laws] if values.all() else [1.0],
    )
    predicted = (found.trace, found.wasserstein_squared, found.kl, found.hellinger_squared)
    modes = values.sum() ** 2 / np.square(values).sum()
    scales = (float(found.trace), float(values.mean()), 1.0, 1.0 - float(found.hellinger_squared))
    rows: list[tuple[float, float]] = []
    for one, many in zip(predicted, measured, strict=True):
        spread = float(np.std(many, ddof=1)) if len(many) > 1 and np.isfinite(many).all() else 0.0
        if not np.isfinite(one) or spread == 0:
            rows.append((np.nan, np.nan))
            continue
        gap, scale = float(np.mean(many)) - float(one), scales[len(rows)]
        beyond = np.copysign(max(abs(gap) - scale / modes, 0.0), gap)
        rows.append((beyond / spread * np.sqrt(len(many)), gap / float(one)))
    return rows


def _worst(rows: list[tuple[float, float]]) -> str:
    known = [row for row in rows if np.isfinite(row[0])]
    if not known:
        return "-"
    z = max(known, key=lambda row: abs(row[0]))[0]
    relative = max(known, key=lambda row: abs(row[1]))[1]
    return f"{z:+.1f} s.e., {100 * relative:+.1f} %".replace("-0.0 s", "0.0 s").replace(
        "+0.0 s", "0.0 s"
    )


def _shape(values: Any) -> tuple[str, str, str]:
    """Whether numbers are numbers, curves smooth in n, and the trace falls from n = d on."""
    d = values.size
    n = np.unique(np.geomspace(0.2 * d, 50 * d, 200).round())
    n = n[np.abs(n - 1 - d) > max(3, 0.05 * d)]
    law = theory.one_step_anisotropic(values, n)
    fields = (law.kl, law.trace, law.log_det, law.hellinger_squared, law.wasserstein_squared)
    whole = not any(np.isnan(field).any() for field in fields)
    bends = []
    for side in (n < d, n > d):
        curve = np.log(law.wasserstein_squared[side])
        slope = np.diff(curve) / np.diff(np.log(n[side]))
        # A kink is a change of slope unlike those beside it.
        bend = np.abs(np.diff(slope))
        bends.append(float((bend[1:-1] - 2 * np.maximum(bend[:-2], bend[2:])).max()))
    falls = (np.diff(law.trace[n > d]) < 0).all()
    return "none" if whole else "SOME", f"{max(*bends, 0.0):.3f}", "yes" if falls else "NO"


def _best_steps() -> None:
    print(f"## Best number of steps, predicted and measured ({_SETS} training sets, d = 20)\n")
    print(
        "Measured: least mean KL of the S looked at (in brackets those within two standard errors "
        "of it, of the difference set by set). Variances k^-0.5.\n"
    )
    print("| sampler | n/d | predicted | measured | KL predicted | KL measured |")
    print("|---|---|---|---|---|---|")
    values = np.arange(1, 21) ** -0.5
    values /= values.mean()
    for name, schedule in (("ddpm:large", "linear"), ("heun", "karras"), ("ddim:0.5", "linear")):
        for ratio in (2, 4, 10, 40):
            n = ratio * 20
            best = theory.best_steps(values, n, name, schedule)
            counts = np.unique(np.geomspace(4, 900, 24).round()).astype(int)
            if np.isfinite(best.steps):
                # All numbers within a quarter of it, or every 33rd part of it.
                reach, apart = max(4, int(best.steps / 4)), max(1, int(best.steps / 33))
                near = best.steps + np.arange(-reach // apart, reach // apart + 1) * apart
                counts = near[near >= 1].astype(int)
            kl = _measured_kl(values, n, name, schedule, counts)
            means, least = kl.mean(axis=0), int(kl.mean(axis=0).argmin())
            excess = kl - kl[:, least : least + 1]
            error = excess.std(axis=0, ddof=1) / np.sqrt(len(kl))
            every = np.append(counts, np.inf)
            close = every[means - means[least] <= 2 * error]
            spread = kl[:, least].std(ddof=1) / np.sqrt(len(kl))
            print(
                f"| {name} | {ratio} | {best.steps:g} | {every[least]:g} ({close.min():g} to "
                f"{close.max():g}) | {best.kl:.4f} | {means[least]:.4f} ± {spread:.4f} |"
            )
    print()


def _measured_kl(values: Any, n: int, name: str, schedule: str, counts: Any) -> Any:
    """KL for each training set and number of steps, the last infinite; (sets, counts + 1)."""
    rng, d = np.random.default_rng(n), values.size
    # Covariance and mean of n points are independent, of these laws.
    covariances = wishart.rvs(n - 1, np.diag(values) / n, size=_SETS, random_state=rng)
    means = np.sqrt(values / n) * rng.standard_normal((_SETS, d))
    eigenvalues, vectors = np.linalg.eigh(covariances)
    inverse = (vectors**2 / values[:, None]).sum(axis=1)
    along = np.einsum("bij,bi->bj", vectors, means)
    sampler, levels = as_sampler(name), as_schedule(schedule)
    found = []
    for count in [*counts.tolist(), np.inf]:
        if np.isinf(count):
            ends = levels.noise_range()
            response, first = limit_response(ends, eigenvalues.ravel(), sampler.eta), ends
            start = first.signal, first.noise_std
        else:
            trajectory = sampler.trajectory(levels.levels(count))
            response = sampler_response(trajectory, eigenvalues.ravel())
            start = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
        modes = generated_modes(response, *start, eigenvalues.ravel(), "standard")
        v = modes.variance.reshape(eigenvalues.shape)
        m = modes.mean_fraction.reshape(eigenvalues.shape) * along
        moved = np.einsum("bij,bj->bi", vectors, m)
        log_ratio = np.log(v).sum(axis=1) - np.log(values).sum()
        shift = (moved**2 / values).sum(axis=1)
        found.append(((v * inverse).sum(axis=1) - d - log_ratio + shift) / 2)
    return np.array(found).T


def _grids() -> None:
    print("## KL / d on the grid made for a spectrum, and Karras'\n")
    counts = (5, 10, 20, 50)
    print(f"| spectrum | {' | '.join(f'S = {count}' for count in counts)} |")
    print(f"|---|{'---|' * len(counts)}")
    for name, values in spectra(40).items():
        modes = Modes.of(values)
        cells = []
        for count in counts:
            own = grid_loss(theory.tangent_grid(values, count), modes) / values.size
            karras = grid_loss(karras_noises(count + 1), modes) / values.size
            cells.append(f"{own:.3g} / {karras:.3g}")
        print(f"| {name} | {' | '.join(cells)} |")
    print()
