"""The two pictures of the tutorial: spectra and digits as the number n of training points passes d.

Takes seconds, and writes docs/figures/passes-spectra.png and passes-digits.png.

    python examples/tutorial.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ornstein import Gaussian, OneStepDenoiser, theory
from ornstein.data.files import load_data
from ornstein.reports.figures import BLUE, VERMILION, caption, legend_below, save_figure, style
from ornstein.reports.grids import coloured, tile

FOLDER = Path(__file__).parents[1] / "docs" / "figures"
RATIOS = (0.5, 1.0, 2.0, 10.0)
TITLES = {0.5: "n = d/2", 1.0: "n = d", 2.0: "n = 2 d", 10.0: "n = 10 d"}


def spectra(dim: int = 400) -> Figure:
    """Singular values of what one fitted model generates, and their density by theory."""
    population = Gaussian.isotropic(dim)
    signal = 1.0 / (1.0 - np.expm1(-4.0))  # rho2 at T = 2, noise scale 1
    with style():
        figure = Figure(figsize=(8.0, 3.0), layout="constrained")
        axes = figure.subplots(1, len(RATIOS))
        for axis, ratio in zip(axes, RATIOS, strict=True):
            n = round(ratio * dim)
            train = population.sample(n, rng=n)
            law = OneStepDenoiser(random_state=0).fit(train).generated_law_
            values = np.sqrt(law.covariance.spectrum())
            values = values[values > 1e-9]
            high = np.quantile(values, 0.97)
            grid = np.linspace(1e-3, high, 400)
            shown = values[values < high]
            bins = np.linspace(0, high, 25)
            weights = np.full(len(shown), 1 / (len(values) * (bins[1] - bins[0])))
            axis.hist(shown, bins, weights=weights, color=BLUE, alpha=0.5)
            density = theory.one_step_spectrum(grid, dim / (n - 1), signal)
            axis.plot(grid, density, color=VERMILION)
            axis.axvline(1.0, color="0.4", lw=0.8, ls=":")
            axis.set_title(f"{TITLES[ratio]}: {len(values)} modes")
            axis.set_yticks([])
            axis.set_xlim(0, high)
            axis.set_xlabel("std of a mode, true value 1")
        axes[0].set_ylabel("density")
        legend_below(
            figure,
            {
                "one training set": Patch(color=BLUE, alpha=0.5),
                "theory": Line2D([], [], color=VERMILION),
                "truth": Line2D([], [], color="0.4", lw=0.8, ls=":"),
            },
        )
        caption(figure, [f"One-step linear denoiser on N(0, I) in d = {dim}", "T = 2"])
    return figure


def digits(shown: int = 8) -> Figure:
    """Digits that the one-step model generates, fitted on more and more of them."""
    data = load_data("digits")
    images = data.points[np.random.default_rng(0).permutation(len(data.points))]
    rows = {"training": images[:shown]}
    for ratio in RATIOS:
        n = round(ratio * data.dim)
        law = OneStepDenoiser(random_state=0, noise_scale=data.std**2).fit(images[:n])
        rows[TITLES[ratio]] = law.generated_law_.sample(shown, rng=1)
    with style():
        figure = Figure(figsize=(7.0, 0.8 * len(rows)), layout="constrained")
        for axis, (title, points) in zip(figure.subplots(len(rows)), rows.items(), strict=True):
            sheet = coloured(tile(points.reshape(-1, 1, 8, 8), shown), 0.0, images.max())
            axis.imshow(sheet, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            axis.grid(visible=False)
            axis.set_ylabel(title, rotation=0, ha="right", va="center")
    return figure


if __name__ == "__main__":
    save_figure(spectra(), FOLDER / "passes-spectra.png")
    save_figure(digits(), FOLDER / "passes-digits.png")
