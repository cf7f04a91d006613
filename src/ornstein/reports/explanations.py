"""What each kind of study asks, in words, and how its numbers are made and with what error."""

from __future__ import annotations

__all__ = ["Explanation", "EXPLANATIONS", "VERIFICATION", "AUDIT", "FORECAST"]

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Explanation(NamedTuple):
    """Title, question and method of a page."""

    title: str
    question: str
    made: Mapping[str, str]
    figure: str = ""
    """What the marks and lines of the main figure are."""


_RUNS = (
    "Each run draws its own training set; its random numbers derive from the seed of the study, n "
    "and the number of the run, so that a run again gives the same."
)
_MEANS = (
    "Mean over runs ± its standard error: the standard deviation of the runs over the root of "
    "their number."
)
_SHARE = "Share of runs with Delta > 0, with its Wilson 95% interval."
_FITTED = (
    "KL and W2^2 of the Gaussian with mean and covariance of the generated points, less the bias "
    "that their number leaves; mean over runs ± its standard error."
)
_LINEAR = (
    "The generated law of the best linear denoiser of the same training points is a Gaussian known "
    "in closed form: its distances have no sampling error within a run."
)
_MEMORIZED = (
    "Share of generated points whose nearest training point is much nearer than the second; the "
    "baseline is that of points the model has not seen. Mean over runs ± its standard error."
)

EXPLANATIONS: dict[str, Explanation] = {
    "linear": Explanation(
        "One-step linear denoiser: simulation and theory",
        "A linear denoiser is fitted to n points and generates in one step. How far is what it "
        "generates from the population, and is it closer to fresh data or to its training set?",
        {
            "runs": _RUNS,
            "KL, Hellinger^2, Wasserstein^2, trace": "The generated law of a fitted denoiser is a "
            "Gaussian known exactly, and so are its distances to a Gaussian population (those to a "
            f"mixture are in the notes). {_MEANS} Where the expectation is infinite, the median.",
            "theory": "Closed forms of the dimension, n, T, the noise scale and the spectrum, "
            "without any simulation; the notes say of what order their error is. ornstein verify "
            "compares them with simulations of their own.",
            "ln of L2 distances, Delta": "Kernel densities of originals and of the training set "
            "against the exact law, computed in logarithms without sampling of the law; mean over "
            "runs.",
            "P(Delta > 0)": _SHARE,
            "perfect model": "P(Delta > 0) of the population itself in place of the generated law, "
            "from draws of its own; summary.csv has its Wilson 95% interval.",
        },
        "Marks: simulation with standard errors, or Wilson intervals. Lines: theory, and a perfect "
        "model. n = d and n* are marked above each panel; dotted, n → ∞: the KL that stays with "
        "infinitely many points.",
    ),
    "steps": Explanation(
        "Number of sampling steps: a linear denoiser",
        "A linear denoiser is fitted to n points. Is a finite number of sampling steps better "
        "than infinitely many, and which?",
        {
            "runs": _RUNS,
            "KL, W2^2": "With a linear denoiser every sampler generates a Gaussian known exactly, "
            "at any S and in the limit of infinitely many; only training sets are drawn. Mean over "
            "runs; the last line of a table has the largest standard error above it.",
            "theory": "Expected distances over training sets, by deterministic equivalents, "
            "without simulation.",
            "excess": "Mean over runs of the distance at S less that at S = inf of the same "
            "training set, ± its standard error, which is far below that of either distance. S is "
            "called better where the excess is below 0 by 4 standard errors.",
            "P(Delta > 0)": f"{_SHARE} The last line has half the width of the widest.",
            "order": "Slope of the distance against S on logarithmic axes, with infinite data.",
        },
        "Marks: means over runs. Lines: theory at n points; dashed: infinite data. The last place "
        "of each axis is infinitely many steps. Rings: a finite S is better.",
    ),
    "empirical_steps": Explanation(
        "Number of sampling steps: the memorizing optimum",
        "The denoiser of least training loss returns training points if it is sampled to the end. "
        "How many sampling steps does it take until it copies?",
        {
            "runs": _RUNS,
            "KL, W2^2": _FITTED,
            "linear": _LINEAR,
            "copied": _MEMORIZED,
            "P(Delta > 0)": _SHARE,
        },
        "Marks: means over runs with standard errors. Dashed: the best linear denoiser, exact. "
        "Dotted: held-out points.",
    ),
    "recursion": Explanation(
        "Models trained on their own samples",
        "Each model is trained on samples of the last one. How far does a generation drift from "
        "the population?",
        {
            "runs": _RUNS,
            "KL, tr S/d, tr S^2/d": "The law of each generation is a Gaussian known exactly; only "
            f"points are drawn. {_MEANS}",
            "theory": "What is expected of them in closed form, without simulation.",
        },
        "Marks: means over runs with standard errors. Lines: theory.",
    ),
    "unet": Explanation(
        "A trained network: what it has learned and what it has copied",
        "A diffusion model is trained on n images. Does it generate the population, and does it "
        "return images that it was trained on?",
        {
            "runs": f"{_RUNS} A network is trained in each.",
            "L2 distances, Delta": "Kernel densities of originals and training set against the "
            f"generated points, coordinate by coordinate. {_MEANS}",
            "P(Delta > 0)": _SHARE,
            "memorized": _MEMORIZED,
            "loss": f"Training objective of the last epoch. {_MEANS}",
            "KL, W2^2": _FITTED,
            "linear": _LINEAR,
        },
        "Marks: means over runs with standard errors, or shares with Wilson intervals. n = d is "
        "marked above each panel.",
    ),
    "snapshots": Explanation(
        "Training dynamics: when a network generalizes, and when it memorizes",
        "A network is looked at during its training. From which step to which does it generate "
        "new points of the population, before it begins to copy?",
        {
            "runs": f"{_RUNS} A network is trained in each.",
            "memorized": _MEMORIZED,
            "losses": f"Training objective, on training and held-out images at the same noises. "
            f"{_MEANS}",
            "Delta": f"Kernel densities, per coordinate. {_MEANS}",
            "tau_mem": "Step from which on the memorized fraction is at least one half, between "
            "snapshots interpolated in ln(step): geometric mean over runs, with one standard error "
            "of its logarithm both ways.",
        },
        "Marks: means over runs with standard errors. Dashed: training loss. Dotted: held-out "
        "images. Rings: the best step.",
    ),
    "unet_steps": Explanation(
        "Number of sampling steps: a trained network",
        "A network is trained on n images. How many sampling steps are enough, beside the best "
        "linear denoiser?",
        {
            "runs": f"{_RUNS} A network is trained in each.",
            "KL, W2^2": _FITTED,
            "linear": _LINEAR,
            "memorized": _MEMORIZED,
            "P(Delta > 0)": _SHARE,
        },
        "Marks: means over runs with standard errors. Dashed: the best linear denoiser, exact. "
        "Dotted: held-out images.",
    ),
}
"""By the module of :mod:`ornstein.reports` that makes the tables of a study."""

VERIFICATION = Explanation(
    "Theory against simulation",
    "Does every closed form agree with a simulation that shares no code with it?",
    {
        "predicted": "By the closed form, from the parameters alone.",
        "simulated": "Mean over independent replicates ± its standard error. The random numbers of "
        "a replicate derive from the seed, the name of the experiment and its number.",
        "z": "Standard errors between the two, beyond what is allowed for a limit at finite size.",
        "verdict": "A check fails if Student's t with one degree of freedom less than replicates "
        "exceeds |z| with probability below 2e-5.",
    },
)

AUDIT = Explanation(
    "Audit of generated data",
    "Has the model copied its training data?",
    {
        "copied": "Exact copies, and near copies listed at the false discovery rate: a contrast is "
        "compared with its own mirror image, which chance makes equally often. Share of the "
        "generated points with its Wilson 95% interval.",
        "nearer than Gaussians": "Share of generated points whose nearest point is of the training "
        "set, against that of samples of Gaussians fitted to the training set.",
        "nearer than chance": "The same share against what it would be if the training set were "
        "any other part of all training and held-out points: p by relabelling.",
        "found from": "What would have been found with probability 0.8, from copies planted at "
        "several noises, or from the spread of the statistic.",
    },
)

FORECAST = Explanation(
    "How much data is enough",
    "How good will a diffusion model of these data be with n points, and how many are enough?",
    {
        "learning curve": "Closed forms of the linear models for the population of the data, whose "
        "eigenvalues and row sizes are estimated from all points. ± is the standard error of that "
        "estimate, by the grouped jackknife: everything again without each of ten random tenths of "
        "the rows.",
        "points needed": "The n from which on the curve keeps the bound, up to 100 times the data. "
        "The band is the jackknife's error of the quantity there over its slope in ln n, times "
        "Student's 97.5% quantile.",
        "measured": "The same models fitted on subsets that are drawn without replacement. Mean "
        "over subsets ± its standard error.",
        "theory": "Closed forms of models of n of the N points: all points are the population. ± "
        "as of the curve.",
        "differ, s.e.": "Theory above the measurement, in percent of it, and in standard errors of "
        "both.",
        "W2^2 of the MLP": "Of mean and covariance of what it generates, to those of all points; "
        "one training, so that there is no error.",
    },
    "Lines: theory, of new points (with twice its standard error) and of subsets of the data. "
    "Marks: measured on subsets, with standard errors. Dashed: your data. Last panel: estimated "
    "eigenvalues of the population, and those of the sample.",
)
