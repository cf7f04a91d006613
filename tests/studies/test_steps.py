"""The steps study: cells against the public functions, floors, optima, files, tables, figure."""

import itertools
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ornstein import Gaussian, delta
from ornstein.cli.main import main
from ornstein.denoisers.linear import LinearDiffusion
from ornstein.engine.store import StudyError
from ornstein.engine.study import Cell, cell_seed, planned_cells
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.studies.perfect_models import PerfectModel
from ornstein.studies.steps.options import StepsOptions
from ornstein.studies.steps.study import DISTANCES, StepsStudy
from ornstein.studies.steps.summary import optima, population_rows
from ornstein.theory.linear_denoisers.sampling import sampler_quality

SMALL = StepsOptions(
    train_sizes=(6, 30),
    steps=(5, 20),
    samplers=("ddpm:large", "ddim", "heun"),
    dim=8,
    simulations=6,
)


@contextmanager
def simulation_alone() -> Iterator[None]:
    """Within, studies have neither figure nor theory, which take longer than a small study."""

    def unpredicted(study: StepsStudy, _: int) -> dict:
        cells = itertools.product(study.options.samplers, study.all_steps)
        return dict.fromkeys(cells, dict.fromkeys(DISTANCES, math.nan))

    summary = "ornstein.studies.steps.summary"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
        patch.setattr(f"{summary}.predicted_distances", unpredicted)
        patch.setattr(f"{summary}.predicted_best", lambda *_: {})
        patch.setattr(f"{summary}.perfect_model_of", lambda *_: PerfectModel({}, ""))
        yield


def run(study: StepsStudy, folder: Path, **options) -> list[dict]:
    """Rows of a study in a folder; what is measured alone."""
    with simulation_alone():
        return list(study.run(folder, progress=False, **options).rows)


@pytest.mark.parametrize("population", ["isotropic", "power-law"])
@pytest.mark.parametrize("start", ["standard", "marginal"])
@pytest.mark.parametrize("train_size", [6, 30])
def test_a_cell_is_what_the_public_functions_say(population, start, train_size) -> None:
    """Without the change of coordinates that the study makes."""
    config = replace(SMALL, population=population, start=start, mean=1.5, std=0.7, ridge=0.01)
    study, cell = StepsStudy(config), Cell(train_size, 3)
    measured = study.measure(cell)
    assert set(measured) == set(study.metrics)
    law = Gaussian.isotropic(8, 1.5, 0.7)
    if population == "power-law":
        law = Gaussian.power_law(8, 1.0, mean=1.5, std=0.7)
    train = law.sample(train_size, np.random.default_rng(cell_seed(0, cell)))
    for name in config.samplers:
        schedule = "karras" if name == "heun" else "linear"
        model = LinearDiffusion(name, 20, schedule, start, ridge=0.01).fit(train)
        generated = model.generated_law_
        expected = {
            "kl": kl_divergence(generated, law),
            "hellinger2": hellinger_squared(generated, law),
            "wasserstein2": wasserstein_squared(generated, law),
            "delta_sign": delta(generated, train, law, n_original=10_000).sign,
        }
        for metric, value in expected.items():
            assert measured[f"{name}/20/{metric}"] == pytest.approx(value, rel=1e-8)


def test_a_spectrum_by_name_is_the_population_that_has_it() -> None:
    """The same options, the same folders, the same numbers."""
    for spectrum, law in (
        ("isotropic", {}),
        ("power-law:1.5", {"population": "power-law", "exponent": 1.5}),
    ):
        one = StepsOptions((20,), dim=5, spectrum=spectrum)
        other = StepsOptions((20,), dim=5, **law)  # type: ignore[arg-type]
        assert one == other
        assert "spectrum" not in StepsStudy(one).identity
        assert StepsStudy(other).settings["spectrum"] == spectrum
    assert StepsOptions().dim == 100
    assert StepsOptions().std == 1


def test_a_spectrum_from_a_list(tmp_path: Path) -> None:
    config = StepsOptions(
        (30,), (5,), ("ddim", "euler"), spectrum="4,1,0.5,0.1", grid="tangent", simulations=2
    )
    study = StepsStudy(config)
    assert (study.dim, study.std) == (4, pytest.approx(1.4**0.5))
    assert study.source.covariance.eigenvalues == pytest.approx([4, 1, 0.5, 0.1])
    scaled = StepsStudy(replace(config, std=0.7))
    assert scaled.source.covariance.eigenvalues.mean() == pytest.approx(0.49)
    with simulation_alone():
        table = study.run(tmp_path, jobs=1).table()
    assert "N(0, Sigma), d = 4, spectrum 4,1,0.5,0.1" in table
    limit = next(
        row for row in population_rows(study) if (row["sampler"], row["steps"]) == ("ddim", 5)
    )
    right = sampler_quality([4, 1, 0.5, 0.1], 5, "ddim", "linear")
    assert limit["kl_mean"] == pytest.approx(right.kl)
    # What a study leaves in config.yaml is that study; another list is another study.
    kept = yaml.safe_load((tmp_path / "config.yaml").read_text())
    names = ("dim", "mean", "std", "spectrum")
    again = replace(config, **{name: kept[name] for name in names})
    assert StepsStudy(again).identity == study.identity
    other = replace(config, spectrum="4,1,0.5,0.2", std=None)
    assert StepsStudy(other).identity != study.identity


def test_few_points_have_infinite_kl_and_finite_wasserstein() -> None:
    measured = StepsStudy(SMALL).measure(Cell(6, 0))
    for name in SMALL.samplers:
        for steps in ("5", "20", "inf"):
            assert measured[f"{name}/{steps}/kl"] == math.inf
            assert measured[f"{name}/{steps}/hellinger2"] == 1.0
            assert math.isfinite(measured[f"{name}/{steps}/wasserstein2"])


def test_the_limit_is_what_many_steps_tend_to() -> None:
    study = StepsStudy(replace(SMALL, samplers=("ddpm", "ddim", "euler", "heun"), steps=(10, 1000)))
    measured = study.measure(Cell(30, 0))
    for name in study.options.samplers:
        limit = measured[f"{name}/inf/kl"]
        gaps = [abs(measured[f"{name}/{steps}/kl"] - limit) for steps in (10, 1000)]
        assert gaps[1] < min(0.05, gaps[0] / 20)


def test_population_rows_are_the_theory() -> None:
    study = StepsStudy(replace(SMALL, population="power-law", mean=1.0))
    spectrum = study.source.covariance.eigenvalues
    rows = population_rows(study)
    assert len(rows) == 9
    for row in rows:
        schedule = "karras" if row["sampler"] == "heun" else "linear"
        quality = sampler_quality(
            spectrum, row["steps"], str(row["sampler"]), schedule, mean=study.source.mean
        )
        assert row["kl_mean"] == pytest.approx(quality.kl, rel=1e-12)
        assert row["wasserstein2_mean"] == pytest.approx(quality.wasserstein_squared, rel=1e-12)
        assert row["train_size"] == math.inf
        assert row["simulations"] == 0
        if row["steps"] == math.inf:
            assert row["kl_excess"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("population", ["isotropic", "power-law"])
def test_the_floor_is_that_of_the_empirical_gaussian(population: str, tmp_path: Path) -> None:
    """KL at S = inf against the Wishart expectation, within 4 standard errors."""
    config = StepsOptions(
        train_sizes=(20, 60),
        steps=(5,),
        samplers=("ddim", "ddpm"),
        dim=12,
        population=population,  # type: ignore[arg-type]
        start="marginal",
        simulations=60,
    )
    study = StepsStudy(config)
    rows = [row for row in run(study, tmp_path, jobs=1) if row["steps"] == math.inf]
    for row in rows:
        if row["train_size"] < math.inf:
            gap = row["kl_mean"] - study.kl_floor(int(row["train_size"]))
            assert abs(gap) < 4 * row["kl_se"]
            assert row["kl_se"] < 0.03 * row["kl_mean"]


@pytest.mark.slow
def test_who_has_an_optimum_at_finite_n(tmp_path: Path) -> None:
    """Samplers whose error adds variance have one in KL; those that lose variance have none."""
    config = StepsOptions(
        train_sizes=(60,),
        steps=(5, 10, 20, 50, 100, 300, 1000),
        samplers=("ddpm", "ddpm:large", "ddim", "euler", "heun"),
        dim=20,
        simulations=30,
    )
    found = {o.sampler: o for o in optima(run(StepsStudy(config), tmp_path, jobs=1), "kl")[5:]}
    assert {name for name, o in found.items() if o.better} == {"ddpm:large", "heun"}
    assert found["ddpm:large"].steps in {20, 50}
    for name in ("ddpm", "ddim", "euler"):
        assert found[name].steps == 1000
        assert found[name].excess > 4 * found[name].excess_se


@pytest.mark.parametrize("population", ["isotropic", "power-law"])
def test_theory_at_finite_n_beside_the_simulation(population: str) -> None:
    """Distances within 4 standard errors and 3% (d = 20), below and above n = d."""
    equal = population == "isotropic"
    config = StepsOptions(
        train_sizes=(10, 40, 200) if equal else (10, 60),
        steps=(5, 10, 14, 20, 28, 40, 100) if equal else (5, 40),
        samplers=("ddpm:large", "ddim:0.5", "heun") if equal else ("ddpm:large", "heun"),
        dim=20,
        population=population,  # type: ignore[arg-type]
        ridge=0.0 if equal else 0.01,
        simulations=20,
    )
    summary = StepsStudy(config).run(jobs=1)
    for row in summary.rows:
        for name in ("kl", "hellinger2", "wasserstein2"):
            mean, theory = row[f"{name}_mean"], row[f"{name}_theory"]
            if math.isinf(theory):
                assert mean == math.inf
                continue
            error = np.nan_to_num(row[f"{name}_se"])
            assert mean == pytest.approx(theory, abs=4 * error + 0.03 * abs(theory)), (name, row)
    if equal:
        # The best S measured is that predicted, or its neighbour in the list.
        steps = [*sorted(config.steps), math.inf]
        for o in summary.optima["kl"]:
            if o.train_size < math.inf:
                measured = o.steps if o.better else math.inf
                apart = abs(steps.index(measured) - steps.index(o.predicted))
                assert apart <= 1 or (o.sampler == "heun" and not o.better)
                best = summary.theory["best_steps"][o.train_size][o.sampler].steps
                if o.predicted < math.inf:
                    assert o.predicted / 1.5 < best < o.predicted * 1.5


def test_excess_is_paired_within_cells(tmp_path: Path) -> None:
    study = StepsStudy(SMALL)
    rows = run(study, tmp_path, jobs=1)
    cells = [study.measure(cell) for cell in planned_cells(study) if cell.train_size == 30]
    gaps = [cell["ddim/20/kl"] - cell["ddim/inf/kl"] for cell in cells]
    (row,) = (
        row for row in rows if (row["sampler"], row["steps"], row["train_size"]) == ("ddim", 20, 30)
    )
    assert row["kl_excess"] == pytest.approx(np.mean(gaps))
    assert row["kl_excess_se"] == pytest.approx(np.std(gaps, ddof=1) / math.sqrt(6))
    assert row["kl_excess_se"] < row["kl_se"]
    assert row["simulations"] == 6


def test_optimum_needs_four_standard_errors() -> None:
    def row(steps: float, excess: float, error: float, size: float = 50) -> dict:
        kl = {"kl_mean": 5.0 + excess, "kl_excess": excess, "kl_excess_se": error}
        return {"sampler": "heun", "steps": steps, "train_size": size, **kl}

    limit = row(math.inf, 0.0, 0.0)
    found = optima([row(10, 1.0, 0.1), row(20, -0.5, 0.1), limit])[0]
    assert found[2:6] == (20, -0.5, 0.1, True)
    assert math.isnan(found.predicted)
    theory = [{**row(10, 1.0, 0.1), "kl_theory": 3.1}, {**row(20, -0.5, 0.1), "kl_theory": 3.2}]
    for value, best in ((3.15, 10), (3.1, math.inf), (3.0, math.inf)):
        assert optima([*theory, {**limit, "kl_theory": value}])[0].predicted == best
    assert not optima([row(20, -0.39, 0.1), limit])[0].better
    assert not optima([row(20, -0.5, math.nan), limit])[0].better
    assert optima([row(20, -0.01, math.nan, math.inf), limit])[0].better
    assert optima([row(20, math.inf, math.nan), limit]) == []


def test_same_values_for_any_number_of_workers(tmp_path: Path) -> None:
    study = StepsStudy(replace(SMALL, steps=(5,), samplers=("ddim",)))
    one, two = (run(study, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two), check_exact=True)


def test_more_replicates_reuse_and_other_steps_are_refused(tmp_path: Path) -> None:
    first = run(StepsStudy(SMALL), tmp_path, jobs=1)
    grown = run(StepsStudy(replace(SMALL, simulations=8)), tmp_path, jobs=1)
    assert {row["simulations"] for row in grown} == {0, 8}
    assert {row["simulations"] for row in first} == {0, 6}
    # The order in which steps are asked for is no other configuration.
    run(StepsStudy(replace(SMALL, steps=(20, 5))), tmp_path, jobs=1)
    with pytest.raises(StudyError, match="steps is"):
        run(StepsStudy(replace(SMALL, steps=(5, 10))), tmp_path, jobs=1)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"train_sizes": (6,), "mean": 3.0},
        {"train_sizes": (30,), "simulations": 1, "diffusion_steps": 0},
        {
            "samplers": ("ddpm", "ddim:0.5", "euler"),
            "population": "power-law",
        },
    ],
)
def test_tables_fit_a_terminal_and_the_figure_draws(changes: dict) -> None:
    study = StepsStudy(replace(SMALL, **changes))
    summary = study.run(jobs=1)
    text = summary.table()
    assert max(map(len, text.splitlines())) <= 80
    assert "nan" not in text
    for name in study.options.samplers:
        assert f" {name}" in text
    figure = summary.figure()
    # Below n = d alone KL is infinite, and has no panels.
    panels = 2 if max(study.train_sizes) <= study.dim else 3
    assert len(figure.axes) == panels * len(study.options.samplers)
    figure.draw_without_rendering()


def test_the_command_leaves_a_study_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["steps", "--samplers", "ddpm, heun", "--steps", "5,10", "--train-sizes", "30,60"]
    options += ["--dim", "8", "--simulations", "5", "--jobs", "1", "--out", str(tmp_path / "study")]
    assert main(options) == 0
    assert "order" in capsys.readouterr().out
    names = {"study.sqlite", "config.yaml", "summary.csv", "figure.svg", "figure.png"}
    assert names <= {path.name for path in (tmp_path / "study").iterdir()}
    table = pd.read_csv(tmp_path / "study" / "summary.csv")
    assert len(table) == 2 * 3 * 3
    assert set(table["sampler"]) == {"ddpm", "heun"}
    config = yaml.safe_load((tmp_path / "study" / "config.yaml").read_text())
    assert config["samplers"] == "ddpm,heun"
    assert config["steps"] == "5,10"
    # Again, as JSON, with nothing left to compute.
    monkeypatch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
    assert main([*options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["rows"]) == len(table)
    assert document["config"]["model"] == "linear"
    assert {entry["sampler"] for entry in document["best_steps"]} == {"ddpm", "heun"}
    assert set(document["orders"]) == {"ddpm", "heun"}
    assert len(document["optima"]["kl"]) == 6
    assert document["failed"] == []


def test_as_many_originals_as_training_points() -> None:
    study = StepsStudy(replace(SMALL, originals="n"))
    fixed = StepsStudy(replace(SMALL, originals=30))
    assert study.measure(Cell(30, 0)) == fixed.measure(Cell(30, 0))
    assert study.identity["originals"] == "n"
