"""Predictions on membership inference against the best linear denoiser of n points."""

from __future__ import annotations

__all__ = ["membership"]

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from ornstein import theory
from ornstein.cli.parsing import UsageError, integers, names, reals
from ornstein.cli.predict.spectra import described, population_spectrum, scaled_to
from ornstein.reports.charts import Chart, Curve, Mark
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ornstein.reports.charts import Array

_NOISES = "0.001,0.003,0.01,0.03,0.1,0.3,1,3,10"


def membership(
    dim: int | None = None,
    spectrum: str = "isotropic",
    n_train: str = "1000",
    noise_variance: str = _NOISES,
    false_positive_rate: float = 0.01,
    auc_bound: float = 0.55,
    simulate: str | None = None,
    held_out: int = 2000,
    training_steps: int = 1000,
    seed: int = 0,
    std: float | None = None,
) -> Prediction:
    """Who can tell that a point was trained on: AUC and power of an attack on its residual.

    The attack asks the best linear denoiser of n points at a point itself, at EDM noise s, and
    calls it a member if the residual is small. Of one n all columns are shown, of several the AUC.
    With --simulate, attacks on denoisers that are fitted on n points stand beside the theory.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    n_train : str
        one to five training sizes n, in a comma list
    noise_variance : str
        noise variances s^2, in squared data units: start:stop:step or a comma list
    false_positive_rate : float
        share of others that are called members, where the power is given
    auc_bound : float
        bound on the AUC of which the number of points is given
    simulate : str
        attack these too: linear, empirical, mlp, in a comma list
    held_out : int
        fresh points of the attack; counts with --simulate only
    training_steps : int
        optimiser steps of the mlp; counts with --simulate mlp only
    seed : int
        seed of points and mlp; counts with --simulate only
    std : float
        scales the population to the mean variance std^2; by default eigenvalues are as given
    """
    values, sizes = population_spectrum(spectrum, dim, std), list(integers(n_train, "n-train"))
    if len(sizes) > 5:
        raise UsageError(f"--n-train: given {len(sizes)} training sizes, expected at most 5")
    noises = reals(noise_variance, "noise-variance")
    attacked = _attacked(simulate, sizes, training_steps, held_out, seed)
    worst = [theory.most_revealing_noise(values, n) for n in sizes]
    bounds = [theory.points_for_auc(values, noise, auc_bound) for noise, _ in worst]
    lines = [f"Membership inference, linear denoisers, {described(values, spectrum, std)}"]
    # The search ends at 1/1000 of the least eigenvalue.
    edge = 1.01e-3 * float(values[values > 0].min())
    lines += [
        f"n = {n}: largest AUC {auc:.4f} at s^2 = {noise:.4g}{' or less' * (noise < edge)}; "
        f"{auc_bound:g} there at n = {bound:.4g}"
        for n, (noise, auc), bound in zip(sizes, worst, bounds, strict=True)
    ]
    fields = {"dim": values.size, "spectrum": str(spectrum), "n_train": sizes} | scaled_to(std)
    fields |= {"false_positive_rate": false_positive_rate, "auc_bound": auc_bound}
    fields |= {"most_revealing_noise": [noise for noise, _ in worst]}
    fields |= {"largest_auc": [auc for _, auc in worst], "points_for_auc": bounds}
    if attacked:
        return _simulated(
            values,
            sizes[0],
            noises,
            attacked,
            lines,
            fields,
            false_positive_rate=false_positive_rate,
            held_out=held_out,
            seed=seed,
        )
    one = len(sizes) == 1
    found = _of_one(values, sizes[0], false_positive_rate) if one else _of_many(values, sizes)
    legend = (
        _ONE.format(rate=100 * false_positive_rate)
        if one
        else _MANY
        + "\n".join(
            f"auc_{n}  AUC n={n}  share of pairs in which the member has the smaller residual"
            for n in sizes
        )
    )
    drawn = {"auc": "AUC", "power": f"power at {100 * false_positive_rate:g} %"}
    return swept(
        "\n".join(lines),
        fields,
        noises,
        found,
        legend,
        (lambda found: {label: found[key] for key, label in drawn.items()})
        if one
        else (lambda found: {f"n = {n}": found[f"auc_{n}"] for n in sizes}),
        y_label="AUC and power" if one else "AUC",
        marks=[
            Mark("leaks most" if one else f"leaks most at n = {n}", noise)
            for n, (noise, _) in zip(sizes, worst, strict=True)
            if noise >= edge
        ][:3],
    )


_DEFAULTS = inspect.signature(membership).parameters


def _attacked(
    simulate: str | None, sizes: Sequence[int], training_steps: int, held_out: int, seed: int
) -> dict[str, Callable[[Any], Any]]:
    """What fits each denoiser that is asked for; options without effect are refused."""
    given = {"held_out": held_out, "training_steps": training_steps, "seed": seed}
    chosen: tuple[str, ...] = () if simulate is None else names(simulate, "simulate")
    counting = ({"held_out", "seed"} if chosen else set()) | (
        {"training_steps"} if "mlp" in chosen else set()
    )
    for name in given.keys() - counting:
        if given[name] != _DEFAULTS[name].default:
            raise UsageError(
                f"--{name.replace('_', '-')}: given {given[name]}, which does not count without "
                f"--simulate{' mlp' * (name == 'training_steps')}: leave it out"
            )
    if not chosen:
        return {}
    from ornstein.memorization.attacked_models import fit_empirical, fit_linear

    known = {
        "linear": fit_linear,
        "empirical": fit_empirical,
        "mlp": partial(_fit_mlp, training_steps=training_steps, seed=seed),
    }
    for name in chosen:
        if name not in known:
            raise UsageError(f"--simulate: given {name!r}, expected any of {', '.join(known)}")
    if len(sizes) > 1:
        raise UsageError(f"--n-train: given {len(sizes)} training sizes, expected one to simulate")
    return {name: known[name] for name in chosen}


def _fit_mlp(points: Any, *, training_steps: int, seed: int) -> Any:
    """A residual network of 128 units, trained on the points; a function of points and noise."""
    import torch

    from ornstein.networks import MLP, DiffusionProcess, Scaling, TrainingConfig, seeded, train

    config = TrainingConfig(
        training_steps=training_steps,
        learning_rate=2e-3,
        train_fraction=1.0,
        ema_decay=0.99,
        accelerator="cpu",
        seed=seed,
    )
    network = seeded(
        MLP, torch.Generator().manual_seed(seed), dim=points.shape[1], width=128, depth=2
    )
    process = DiffusionProcess(200, prediction="v")
    scaling = Scaling.standard(points)
    return train(network, points, config, process=process, scaling=scaling).model.denoise


def _simulated(
    values: Array,
    n: int,
    noises: tuple[float, ...],
    fits: dict[str, Callable[[Any], Any]],
    lines: list[str],
    fields: dict[str, Any],
    *,
    false_positive_rate: float,
    held_out: int,
    seed: int,
) -> Prediction:
    """Theory and attacks side by side."""
    import numpy as np

    from ornstein.gaussians import Gaussian
    from ornstein.memorization.attacked_models import attack_models

    population = Gaussian(np.zeros(values.size), values)
    s2 = np.array(noises)
    found = attack_models(
        fits,
        population,
        n,
        np.sqrt(s2),
        held_out=held_out,
        false_positive_rate=false_positive_rate,
        random_state=seed,
    )
    law = theory.membership(values, s2, n)
    rate = f"{100 * false_positive_rate:g} %"
    columns: dict[str, Any] = {"noise_variance": s2, "auc": law.auc}
    legend = ["noise_variance  s^2  noise variance, squared data units"]
    legend += ["auc  theory  AUC of linear denoisers: pairs in which the member's residual is less"]
    for name, attack in found.items():
        columns |= {f"auc_{name}": attack.auc}
        columns |= {f"auc_{name}_low": attack.auc_low, f"auc_{name}_high": attack.auc_high}
        legend += [f"auc_{name}  {name}  AUC of the attack on the {name} denoiser"]
    columns |= {"power": law.power(false_positive_rate)}
    legend += [f"power  power  of linear denoisers: members found at {rate} false positives"]
    for name, attack in found.items():
        columns |= {f"power_{name}": attack.power}
        columns |= {f"power_{name}_low": attack.power_low, f"power_{name}_high": attack.power_high}
        legend += [f"power_{name}  p {name}  power of the attack on the {name} denoiser"]
    wide = max(float((attack.auc_high - attack.auc_low).max()) / 2 for attack in found.values())

    def chart() -> Chart:
        low, high = s2.min(), s2.max()
        grid = np.geomspace(low, high, 200) if high > low else np.geomspace(low / 4, 4 * low, 200)
        curves = [Curve("theory, linear", grid, np.asarray(theory.membership(values, grid, n).auc))]
        order = np.argsort(s2)
        curves += [
            Curve(f"attack on {name}", s2[order], attack.auc[order], s2, attack.auc)
            for name, attack in found.items()
        ]
        label = "noise variance s^2, squared data units"
        return Chart(label, "AUC", curves, logarithmic=True, logarithmic_y=False)

    return Prediction(
        "\n".join([*lines, f"attacked with {n} members and {held_out} others, seed {seed}"]),
        {**fields, "held_out": held_out, "seed": seed},
        "\n".join(legend),
        columns,
        chart,
        [f"95% intervals of the AUC within +-{wide:.3f}; --json has all, and those of the power."],
    )


_ONE = """
    noise_variance   s^2     noise variance, squared data units
    ratio            ratio   mean residual of members over that of others
    member_mean      member  mean residual |x - D(x)|^2 of a training point, squared data units
    non_member_mean  other   the same of a fresh point
    auc              AUC     share of pairs in which the member has the smaller residual
    power            power   share of members found at {rate:g} % false positives
    """
_MANY = "noise_variance  s^2  noise variance, squared data units\n"


def _of_one(values: Array, n: int, rate: float) -> Any:
    def found(noises: Array) -> Mapping[str, Any]:
        law = theory.membership(values, noises, n)
        named = law._asdict()
        keys = ("ratio", "member_mean", "non_member_mean", "auc")
        return {**{key: named[key] for key in keys}, "power": law.power(rate)}

    return found


def _of_many(values: Array, sizes: Sequence[int]) -> Any:
    return lambda noises: {f"auc_{n}": theory.membership(values, noises, n).auc for n in sizes}
