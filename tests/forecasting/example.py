"""A report with distinct numbers, which no forecast has made."""

import math

from ornstein.forecasting.advice import Collapse, Mode, Sampling, Stopping
from ornstein.forecasting.assumptions import Assumption
from ornstein.forecasting.curve import Comparison, Point
from ornstein.forecasting.network_check import NetworkRow
from ornstein.forecasting.predictions import NOISES, OneStepProcess
from ornstein.forecasting.report import ForecastReport, Sizes
from ornstein.forecasting.targets import Needed

NAMES = ("w2", "one_step_w2", "consistency", "auc")
LOSSES = [f"{kind}_loss_{noise:g}" for noise in NOISES for kind in ("train", "test")]


def point(n: int, base: float) -> Point:
    values = {name: base + 0.01 * place for place, name in enumerate((*NAMES, *LOSSES))}
    errors = {name: 0.001 * (1 + place) for place, name in enumerate(values)}
    return Point(n, 0.32, values, errors)


def example_report() -> ForecastReport:
    compared = tuple(
        Comparison(n, name, 0.2 + place, 0.02, 0.25 + place, 0.01)
        for place, name in enumerate((*NAMES, *LOSSES))
        for n in (25, 50)
    )
    return ForecastReport(
        name="some.npy",
        sizes=Sizes(100, 7, 2, 4.5),
        process=OneStepProcess(1.5, 0.7),
        threshold=math.inf,
        leading_threshold=31.4,
        leading=5,
        spectrum=(9.0, 4.0, 1.0),
        sample_spectrum=(10.0, 3.5, 0.9),
        curve=(point(25, 0.5), point(50, 0.4), point(100, 0.3), point(1000, 0.1)),
        compared=compared,
        replicates=13,
        best_losses={0.1: 0.011, 0.3: 0.052, 1.0: 0.293},
        targets=(
            Needed("w2", 0.1, 412.0, 380.0, 447.0, 0.305, 0.0031),
            Needed("auc", 0.55, 61.0, 55.0, 68.0, 0.53, 0.51),
            Needed("one-step-w2", 0.2, math.inf, math.nan, math.inf, 0.271, 0.262),
        ),
        modes=(Mode(1, 0.6, 0.9, 0.81, 0.95), Mode(7, 0.01, 0.2, 0.15, 0.7)),
        sampling=Sampling(5, 17.0, 0.1234, 0.1299, 8.0, (80.0, 3.3, 0.0021)),
        stopping=Stopping(1.1, 2.2, 3.3, 0.066, 0.077),
        collapse=Collapse(0.444, 5.55),
        assumptions=(
            Assumption("rows of one size", "in part", "twice as much", "more are needed"),
            Assumption("independent rows", "yes", "correlation 0.01", ""),
        ),
        network=(NetworkRow(25, 0.36, 0.18, 0.09, 0.06, 7.0),),
        notes=("some.npy: 3 rows repeat.",),
    )
