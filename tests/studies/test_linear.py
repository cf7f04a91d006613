"""The linear study: its cells are the public estimators and distances, its estimates unbiased."""

import math
import pickle
from dataclasses import replace
from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from ornstein import Gaussian, Mixture, OneStepDenoiser, delta
from ornstein.data import contents, mapped
from ornstein.data.files import load_data
from ornstein.data.sources import MIXTURE_DRAWS
from ornstein.engine.study import Cell, cell_seed
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.kernels.full_dimension import bandwidth
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import OF_POINTS, LinearStudy
from ornstein.theory import one_step, one_step_anisotropic

MIXTURE = {"mean": (0.0, 10.0), "std": (1.0, 2.0), "weights": (0.5, 0.5)}


def redrawn(study: LinearStudy, cell: Cell) -> tuple[np.ndarray, Gaussian]:
    """Training set and generated law of a cell, through the public estimator."""
    rng = np.random.default_rng(cell_seed(study.seed, cell))
    train = study.source.draw(cell.train_size, rng).train
    model = OneStepDenoiser(study.options.time, study.options.noise_scale, random_state=rng)
    return train, model.fit(train).generated_law_


@pytest.mark.parametrize("train_size", [3, 6, 7, 40])
def test_a_cell_is_what_the_public_functions_give(train_size: int) -> None:
    config = LinearOptions((train_size,), dim=6, std=(0.7,), time=1.2, noise_scale=0.5, seed=5)
    study, cell = LinearStudy(config), Cell(train_size, 3)
    train, law = redrawn(study, cell)
    population = Gaussian.isotropic(6, mean=10.0, std=0.7)
    values = study.measure(cell)
    assert values["kl"] == pytest.approx(kl_divergence(law, population), rel=1e-10)
    assert values["hellinger2"] == pytest.approx(hellinger_squared(law, population), rel=1e-10)
    assert values["wasserstein2"] == pytest.approx(wasserstein_squared(law, population), rel=1e-10)
    assert values["trace"] == pytest.approx(law.covariance.trace / (6 * 0.7**2), rel=1e-10)
    result = delta(law, train, population, n_original=config.originals)
    assert values["delta_sign"] == result.sign
    assert values["delta_log_abs"] == pytest.approx(result.log_abs, rel=1e-10)


def test_l2_distances_against_numerical_integration() -> None:
    """One dimension: ``int (p - p_X)^2`` with a kernel on every point, by quadrature."""
    config = LinearOptions((12,), dim=1, mean=(1.0,), originals=30, original_mode="sampled", seed=2)
    study, cell = LinearStudy(config), Cell(12, 1)
    train, law = redrawn(study, cell)
    originals = study.source.draw(30, np.random.default_rng(cell_seed(2, Cell(0, 1)))).train
    values = study.measure(cell)
    grid = np.linspace(-14, 16, 50_001)
    p = np.exp(law.log_prob(grid[:, None]))

    def squared_l2(points: np.ndarray) -> float:
        eps = bandwidth(study.std, len(points), 1)
        kernels = stats.norm.pdf(grid[:, None], points.ravel(), eps).mean(axis=1)
        return float(integrate.simpson((p - kernels) ** 2, x=grid))

    fresh, seen = squared_l2(originals), squared_l2(train)
    assert math.exp(values["log_l2_original"]) == pytest.approx(fresh, rel=1e-6)
    assert math.exp(values["log_l2_train"]) == pytest.approx(seen, rel=1e-6)
    signed = values["delta_sign"] * math.exp(values["delta_log_abs"])
    assert signed == pytest.approx(seen - fresh, rel=1e-5)


def test_expected_originals_are_the_mean_of_sampled_ones() -> None:
    """``e(O)`` over redrawn originals, against its closed expectation."""
    config = LinearOptions((9,), dim=2, mean=(0.0,), originals=40, seed=1)
    cell = Cell(9, 0)
    values = LinearStudy(config).measure(cell)
    expected = values["delta_sign"] * math.exp(values["delta_log_abs"])
    train, law = redrawn(LinearStudy(config), cell)
    rng = np.random.default_rng(8)
    drawn = [delta(law, train, rng.standard_normal((40, 2)), std=1.0) for _ in range(1000)]
    sampled = np.array([result.sign * math.exp(result.log_abs) for result in drawn])
    error = sampled.std(ddof=1) / math.sqrt(len(sampled))
    assert abs(sampled.mean() - expected) < 4 * error


def test_sampled_originals_are_shared_by_the_sizes_of_a_replicate() -> None:
    config = LinearOptions((5, 8), dim=3, originals=50, original_mode="sampled")
    study = LinearStudy(config)
    together = [study.measure(Cell(n, 2)) for n in (5, 8)]
    study.measure(Cell(5, 1))  # another replicate in between changes nothing
    alone = [LinearStudy(replace(config)).measure(Cell(n, 2)) for n in (8, 5)][::-1]
    assert together == alone


@pytest.mark.parametrize("dim", [1, 2])
def test_kl_and_hellinger_to_a_mixture_against_quadrature(dim: int) -> None:
    """Means over cells of estimate minus quadrature, in standard errors; single cells too."""
    config = LinearOptions((30,), dim=dim, **MIXTURE, seed=11)
    study = LinearStudy(config)
    mixture = study.source.population
    assert isinstance(mixture, Mixture)
    scores = []
    for replicate in range(8):
        cell = Cell(30, replicate)
        _, law = redrawn(study, cell)
        kl, kl_variance, affinity = _moments(law, mixture)
        values = study.measure(cell)
        # The estimate 1 - mean(sqrt(q/p)) has the variance 1 - affinity^2, since E_p q/p = 1.
        scores.append(
            [
                (values["kl"] - kl) / math.sqrt(kl_variance / MIXTURE_DRAWS),
                (values["hellinger2"] - (1 - affinity))
                / math.sqrt((1 - affinity**2) / MIXTURE_DRAWS),
            ]
        )
    z = np.array(scores)
    assert np.abs(z).max() < 4.5
    assert np.abs(z.mean(axis=0)).max() < 4 / math.sqrt(len(z))
    assert 0.3 < z.std() < 2


def _moments(law: Gaussian, mixture: Mixture) -> tuple[float, float, float]:
    """Mean and variance of ln(p/q) under p, and ``int sqrt(p q)``, on a grid."""
    spread = 9 * np.sqrt(np.diag(law.covariance.dense()))
    axes = [
        np.linspace(m - s, m + s, 40_001 if law.dim == 1 else 401)
        for m, s in zip(law.mean, spread, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, law.dim)
    volume = math.prod(axis[1] - axis[0] for axis in axes)
    log_p = stats.multivariate_normal(law.mean, law.covariance.dense()).logpdf(points)
    parts = [
        math.log(w) + stats.norm.logpdf(points, c.mean, c.std).sum(axis=1)
        for w, c in zip(mixture.weights, mixture.components, strict=True)
    ]
    log_q = np.logaddexp.reduce(parts)
    p, ratio = np.exp(log_p), log_p - log_q
    assert p.sum() * volume == pytest.approx(1, abs=1e-6)
    mean = float((p * ratio).sum() * volume)
    variance = float((p * (ratio - mean) ** 2).sum() * volume)
    return mean, variance, float(np.exp(0.5 * (log_p + log_q)).sum() * volume)


@pytest.mark.parametrize(("dim", "train_size"), [(1, 3), (2, 3), (2, 60), (300, 3), (200, 210)])
def test_the_sign_of_delta_against_mpmath(dim: int, train_size: int) -> None:
    """All terms by another route: scipy's densities, dense covariances, sums in 50 digits."""
    config = LinearOptions((train_size,), dim=dim, originals=1000)
    study, cell = LinearStudy(config), Cell(train_size, 0)
    train, law = redrawn(study, cell)
    values = study.measure(cell)
    eps, eps_fresh = train_size ** (-1 / dim), 1000 ** (-1 / dim)
    dense, identity = law.covariance.dense(), np.eye(dim)
    with mpmath.workdps(50):

        def gaussian(square: float, variance: float) -> mpmath.mpf:
            return mpmath.exp(-square / (2 * variance)) / (2 * mpmath.pi * variance) ** (
                mpmath.mpf(dim) / 2
            )

        wide = stats.multivariate_normal(law.mean, dense + eps**2 * identity)
        cross = mpmath.fsum(mpmath.exp(float(log)) for log in np.atleast_1d(wide.logpdf(train)))
        squares = pdist(train, "sqeuclidean")
        pairs = 2 * mpmath.fsum(gaussian(float(square), 2 * eps**2) for square in squares)
        fresh = stats.multivariate_normal(law.mean, dense + (1 + eps_fresh**2) * identity)
        exact = (
            pairs / train_size**2
            - 2 * cross / train_size
            - (1 - mpmath.mpf(1) / 1000) * gaussian(0.0, 2 + 2 * eps_fresh**2)
            + 2 * mpmath.exp(float(fresh.logpdf(np.full(dim, 10.0))))
        )
        assert values["delta_sign"] == mpmath.sign(exact)
        assert values["delta_log_abs"] == pytest.approx(float(mpmath.log(abs(exact))), abs=1e-6)


def test_digits_have_constant_pixels_and_finite_distances() -> None:
    study = LinearStudy(LinearOptions((40, 400), data="digits"))
    assert study.std == pytest.approx(
        math.sqrt(load_data("digits").points.var(axis=0, ddof=1).mean())
    )
    for size in study.train_sizes:
        values = study.measure(Cell(size, 0))
        assert (values["kl"], values["hellinger2"]) == (math.inf, 1.0)
        assert math.isfinite(values["wasserstein2"])
        assert math.isfinite(values["delta_log_abs"])
        assert not any(map(math.isnan, values.values()))
        train, law = redrawn(study, Cell(size, 0))
        constant = np.ptp(train, axis=0) == 0
        assert constant.any()
        assert np.diag(law.covariance.dense())[constant] == pytest.approx(0, abs=1e-20)


def test_what_decides_a_cell_is_its_identity(tmp_path) -> None:
    base = LinearOptions((5, 9), dim=3)
    study = LinearStudy(base)
    for change in (
        {"dim": 4},
        {"mean": (1.0,)},
        {"std": (2.0,)},
        {"originals": 20},
        {"spectrum": "1,1,0.5"},
        {"original_mode": "sampled"},
        {"time": 1.0},
        {"noise_scale": 0.5},
        {"seed": 1},
    ):
        assert LinearStudy(replace(base, **change)).identity != study.identity
    # As folders have it that were made before there was a spectrum.
    assert "spectrum" not in study.identity
    more = replace(base, train_sizes=(5, 9, 20), simulations=7)
    assert LinearStudy(more).identity == study.identity
    assert LinearStudy(more).measure(Cell(9, 1)) == study.measure(Cell(9, 1))


def test_the_summary_is_mean_and_standard_error_over_cells() -> None:
    study = LinearStudy(LinearOptions((9, 30), dim=4, simulations=5, seed=3))
    for row in study.run(jobs=1).rows:
        cells = [study.measure(Cell(int(row["train_size"]), r)) for r in range(5)]
        for name in ("kl", "wasserstein2", "trace", "log_l2_original", "delta_log_abs"):
            values = [cell[name] for cell in cells]
            assert row[f"{name}_mean"] == pytest.approx(np.mean(values), rel=1e-12)
            assert row[f"{name}_se"] == pytest.approx(stats.sem(values), rel=1e-9)
        assert row["delta_positive"] == np.mean([cell["delta_sign"] > 0 for cell in cells])


HALVES = ",".join(["3"] * 8 + ["0.3"] * 8)


@pytest.mark.parametrize("spectrum", ["power-law:1", HALVES, "4,2,1,0.5,0.2,0.1,0,0"])
def test_theory_of_a_spectrum_beside_its_simulation(spectrum: str) -> None:
    """Means over cells within 4 standard errors, and 3% for d = 8 to 16 eigenvalues."""
    named = spectrum.startswith("power")
    options = LinearOptions(
        (6, 40, 120), dim=16 if named else None, spectrum=spectrum, simulations=60, std=(1.5,)
    )
    study = LinearStudy(options)
    assert study.std == pytest.approx(1.5)
    found = study.run(jobs=1)
    assert "delta_positive" not in found.theory  # which there is for equal eigenvalues only
    for row in found.rows:
        for name in ("kl", "hellinger2", "wasserstein2", "trace"):
            mean, theory = row[f"{name}_mean"], row[f"{name}_theory"]
            if math.isinf(theory):
                assert mean == math.inf
                continue
            slack = 4 * row[f"{name}_se"] + 0.03 * theory
            assert mean == pytest.approx(theory, abs=slack), (row["train_size"], name)
        isotropic = one_step(study.dim, row["train_size"], std=1.5)
        if row["train_size"] == 120:
            # The distances of equal eigenvalues are far from it.
            gap = abs(isotropic.wasserstein_squared - row["wasserstein2_mean"])
            assert gap > 10 * row["wasserstein2_se"]


@pytest.mark.parametrize(("n", "said"), [(5, False), (6, True), (7, True), (11, True), (13, False)])
def test_where_the_variance_over_runs_is_infinite(n: int, said: bool) -> None:
    notes = " ".join(LinearStudy(LinearOptions((n,), dim=8, simulations=1)).run(jobs=1).notes)
    assert ("|n - 1 - d| is 2 or 3: the expectations" in notes) == said
    assert "|n - 1 - d| <= 1" not in notes


def test_digits_follow_the_theory_of_their_covariance() -> None:
    """W2^2 within 5% and the trace within 2%, or 3 standard errors where runs are few."""
    study = LinearStudy(LinearOptions((20, 150, 1500), data="digits", simulations=5))
    for row in study.run(jobs=1).rows:
        for name, share in (("wasserstein2", 0.05), ("trace", 0.02)):
            mean, theory = row[f"{name}_mean"], row[f"{name}_theory"]
            assert abs(theory - mean) < max(share * mean, 3 * row[f"{name}_se"]), row
        assert math.isnan(row["kl_theory"])
        assert math.isnan(row["hellinger2_theory"])
    assert study.threshold == math.inf


def test_points_of_a_gaussian_are_predicted_with_kl(tmp_path: Path) -> None:
    """145 points drawn without replacement from 150, which independent ones are not."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.standard_normal((150, 6)) * [3, 2, 1, 1, 0.5, 0.3])
    np.save(tmp_path / "heavy.npy", rng.standard_t(4, (150, 6)))
    study = LinearStudy(LinearOptions((145,), data=str(tmp_path / "x.npy"), simulations=100))
    found = study.run(jobs=1)
    (row,) = found.rows
    for name in ("kl", "hellinger2", "wasserstein2", "trace"):
        slack = 4 * row[f"{name}_se"] + 0.03 * row[f"{name}_theory"]
        assert row[f"{name}_mean"] == pytest.approx(row[f"{name}_theory"], abs=slack)
    options = {"population_size": 150, "fitted_variance": True}
    theory = one_step_anisotropic(study.spectrum, 145, **options)
    assert row["kl_theory"] == pytest.approx(theory.kl, rel=1e-12)
    assert row["hellinger2_theory"] == pytest.approx(theory.hellinger_squared, rel=1e-12)
    independent = one_step_anisotropic(study.spectrum, 145, fitted_variance=True)
    assert independent.kl > 1.1 * theory.kl
    notes = " ".join(found.notes)
    assert "drawn without replacement like the training sets, from 150 points" in notes
    assert "not predicted" not in notes
    options = LinearOptions((100,), data=str(tmp_path / "heavy.npy"), simulations=1)
    scores = PCA().fit_transform(np.load(tmp_path / "heavy.npy"))
    expected = int((stats.kurtosis(scores) > 1.5).sum())
    assert expected > 0
    notes = " ".join(LinearStudy(options).run(jobs=1).notes)
    assert f"along {expected} of the 6 principal" in notes


@pytest.mark.parametrize("kind", ["array", "pandas", "polars"])
def test_data_in_memory_are_as_from_a_file(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digits as an array or a frame give the rows of the digits as a file, to the last bit."""
    monkeypatch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
    # Drawing takes longer than the study.
    monkeypatch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
    points = load_data("digits").points[:300]
    np.save(tmp_path / "digits.npy", points)
    frame = pd.DataFrame(points, columns=[f"pixel {index}" for index in range(64)])
    data = {"array": points, "pandas": frame, "polars": frame}[kind]
    if kind == "polars":
        data = pytest.importorskip("polars").from_pandas(frame)
    chosen = {"train_sizes": (20, 100), "simulations": 2}
    file = LinearStudy(LinearOptions(**chosen, data=str(tmp_path / "digits.npy"))).run(jobs=1)
    study = LinearStudy(LinearOptions(**chosen, data=data))  # type: ignore[arg-type]
    found = study.run(tmp_path / "s", jobs=1)
    assert repr(list(found.rows)) == repr(list(file.rows))  # NaN is as NaN
    assert "data: data, in memory\n" in (tmp_path / "s" / "config.yaml").read_text()


@pytest.fixture
def large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is read in blocks of 25 rows; above 40 training points moments alone are kept."""
    values = np.random.default_rng(0).standard_normal((200, 5)) * [3, 2, 1, 1, 0.5] + 7
    np.save(tmp_path / "x.npy", values.astype("f4"))
    monkeypatch.setattr(mapped, "LARGE_BYTES", 8 * 200)
    monkeypatch.setattr(mapped, "TRAINING_BYTES", 8 * 40 * 5)
    for module in (contents, mapped):
        monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 5 * 25)
    return tmp_path / "x.npy"


@pytest.mark.parametrize("originals", [90, "n", None])
def test_a_file_in_blocks_gives_what_points_in_memory_give(
    large_file: Path, monkeypatch: pytest.MonkeyPatch, originals: int | None
) -> None:
    options = LinearOptions((4, 40, 90), data=str(large_file), originals=originals)
    parts, cells = LinearStudy(options), [Cell(n, 2) for n in (4, 40, 90)]
    sent = pickle.loads(pickle.dumps(parts))
    assert (parts.source.originals, "source" in vars(sent)) == (10_000, True)
    found = [sent.measure(cell) for cell in cells]
    monkeypatch.setattr(mapped, "LARGE_BYTES", 2**30)
    whole = LinearStudy(options)
    assert (whole.source.originals, whole.source.digest) == (None, parts.source.digest)
    right = [whole.measure(cell) for cell in cells]
    for one, other in zip(found[:2], right[:2], strict=True):
        assert one == pytest.approx(other, rel=1e-12)
    # Above 40 points: everything but what compares with points.
    for name in ("kl", "hellinger2", "wasserstein2", "trace"):
        assert found[2][name] == pytest.approx(right[2][name], rel=1e-12)
    assert all(math.isnan(found[2][name]) for name in OF_POINTS)
    theory, other = parts.theory([4, 90]), whole.theory([4, 90])
    for name, values in theory.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-10)


def test_what_was_not_measured_is_empty_and_said(large_file: Path) -> None:
    options = LinearOptions((40, 90), data=str(large_file), originals=30, simulations=3)
    summary = LinearStudy(options).run(jobs=1)
    small, large = summary.rows
    assert 0 <= small["delta_positive"] <= 1
    assert math.isnan(large["delta_positive"])
    assert math.isfinite(large["kl_mean"])
    text = " ".join(summary.table().split())
    assert "30 originals from the rest" in text
    assert "training sets above n = 40" in text
    assert "30 of the points left over (--originals)" in text
    assert "up to n = 40 it is not established" in text
    summary.figure()
    lone = LinearStudy(replace(options, train_sizes=(90,))).run(jobs=1)
    assert "Delta was not measured" in lone.table()
    lone.figure()


def test_no_more_originals_than_data_have_left(large_file: Path) -> None:
    options = LinearOptions((40,), data=str(large_file), originals=161)
    with pytest.raises(ValueError, match="161 originals beside a training set of 40 from the 200"):
        LinearStudy(options)
    settings = LinearStudy(replace(options, originals=None)).settings
    assert settings["originals"] == 10_000
    assert "original_mode" not in settings
    assert "originals" not in LinearStudy(LinearOptions((40,), data="digits")).settings
