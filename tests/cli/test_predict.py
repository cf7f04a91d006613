"""``ornstein predict``: check values through the command line, tables, figures, bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ornstein.cli import main
from ornstein.cli.predict import PREDICTIONS
from ornstein.cli.predict.spectra import population_spectrum, some_modes
from ornstein.theory.phase import kl_map

PLOTTED = sorted(set(PREDICTIONS) - {"speciation"})
PHASES = [
    ("kl", "time"),
    ("kl", "noise_scale"),
    ("delta", "time"),
    ("delta", "noise_scale"),
    ("test_loss", "noise"),
    ("excess_loss", "noise"),
    ("test_loss", "train_time"),
    ("excess_loss", "train_time"),
]


@pytest.fixture
def predict(capsys):
    def run(*arguments):
        status = main(["predict", *map(str, arguments)])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        assert captured.err == ""
        return captured.out

    return run


@pytest.fixture
def document(predict):
    return lambda *arguments: json.loads(predict(*arguments, "--json"))


# ---- the numbers of the theory sheet


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
def test_check_values(document, arguments, entry, expected):
    assert np.array(document(*arguments.split())[entry]) == pytest.approx(
        np.array(expected), rel=1e-5
    )


def test_spectrum_options_are_read_alike_everywhere(document):
    power = document("denoising-losses", "--spectrum", "power-law:1", "--dim", 3)
    listed = document("denoising-losses", "--spectrum", f"1,0.5,{1 / 3}")
    assert power["test"] == pytest.approx(listed["test"], rel=1e-12)
    assert population_spectrum("isotropic", None).tolist() == [1.0] * 100
    assert population_spectrum("2:4:1", 3).tolist() == [2.0, 3.0, 4.0]
    assert some_modes(np.array([1.0, 5.0, 1.0, 3.0, 2.0]), 3).tolist() == [5.0, 2.0, 1.0]


def test_phase_is_the_map_with_its_lines(document):
    options = ("--x-range", "60:600", "--y-range", "0.1:3", "--points", 9)
    found = document("phase", *options)
    x, y = np.array(found["x_values"]), np.array(found["y_values"])
    assert (x.size, y.size) == (9, 9)
    assert [x[0], x[-1], y[0], y[-1]] == pytest.approx([60, 600, 0.1, 3.0])
    values = np.array(found["values"], dtype=float)
    np.testing.assert_allclose(values, kl_map(x, y).values)
    assert found["log_abs"] is None
    assert found["lines"].keys() == {"n = d", "n*"}
    delta = document("phase", *options, "--quantity", "delta", "--y", "noise_scale")
    assert np.array(delta["log_abs"]).shape == np.array(delta["values"]).shape == (9, 9)
    assert (delta["quantity"], delta["x"], delta["y"]) == ("delta", "train_size", "noise_scale")


# ---- what people see


@pytest.mark.parametrize("name", [name for name in PREDICTIONS if name != "phase"])
def test_tables_fit_a_terminal(predict, name):
    out = predict(name)
    assert 1 <= len(out.splitlines()) <= 60
    assert max(map(len, out.splitlines())) <= 80
    assert "nan" not in out


@pytest.mark.parametrize(("quantity", "y"), PHASES)
def test_phase_tables_fit_a_terminal(predict, quantity, y):
    out = predict("phase", "--quantity", quantity, "--y", y, "--points", 30)
    assert max(map(len, out.splitlines())) <= 80
    assert "Within the map: n = d" in out
    assert ("Laplace" in out) == (quantity == "delta")


@pytest.mark.parametrize("name", PLOTTED)
def test_figures(predict, tmp_path, name):
    file = tmp_path / "figure.svg"
    predict(name, "--plot", file, *(["--points", "20"] if name == "phase" else []))
    assert file.read_text().count("<path") > 5


@pytest.mark.parametrize(("quantity", "y"), PHASES)
def test_maps(predict, tmp_path, quantity, y):
    file = tmp_path / "map.png"
    predict("phase", "--quantity", quantity, "--y", y, "--points", 25, "--plot", file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_map_of_a_divergence_is_refused_as_a_figure(capsys, tmp_path):
    status = main(["predict", "phase", "--x-range", "10:90", "--plot", str(tmp_path / "map.png")])
    assert status == 2
    assert "infinite everywhere: move the training sizes" in capsys.readouterr().err


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("phase --quantity kl --y noise", "--y: given 'noise', expected time or noise_scale"),
        ("phase --x-range 9", "--x-range: given '9', expected low:high with 0 < low < high"),
        ("phase --y-range 3:1", "--y-range: given '3:1', expected low:high"),
        ("phase --points 1", "points is 1, expected at least 2"),
        ("phase --spectrum power-law:1", "expected isotropic unless --y is noise"),
        ("collapse --spectrum flat", "--spectrum: given 'flat', expected isotropic, power-law:"),
        ("collapse --spectrum power-law", "--spectrum: given 'power-law', expected"),
        ("collapse --spectrum 1,-2", "expected numbers >= 0, not all of them 0"),
        ("collapse --spectrum 0,0", "expected numbers >= 0, not all of them 0"),
        ("collapse --spectrum 1,2 --dim 5", "given 2 eigenvalue(s) and --dim 5: leave --dim out"),
        ("collapse --dim 0", "dim is 0, expected at least 1"),
        ("collapse --n-train many", "--n-train: given 'many', expected whole numbers"),
        ("renormalized-noise --noise-variance -1", "noise_variance is -1, expected"),
        ("generated-variance --sigma-min 100", "expected sigma_min <= sigma_max"),
        ("early-stopping --train-time=-1", "expected"),
        ("random-features --ridge 0", "ridge is 0, expected a finite number > 0"),
        ("random-features --noise-draws 0.5", "noise_draws is 0.5, expected a number >= 1"),
        ("split-consistency --aspect-ratio 0", "aspect_ratio is 0, expected"),
        ("sample-covariance --x 0", "x is 0, expected a finite number > 0"),
        ("one-step --plot figure.nothing", "'nothing' is not supported"),
    ],
)
def test_one_line_and_status_2(capsys, arguments, says):
    status = main(["predict", *arguments.split()])
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert captured.err.startswith("ornstein: error: ")
    assert captured.err.count("\n") == 1
    assert says in captured.err


# ---- start-up


def test_help_names_every_prediction_without_importing_numpy():
    code = (
        "import sys; from ornstein.cli import main\n"
        "try: main(['predict', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'scipy', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert all(f"    {name} " in done.stdout for name in PREDICTIONS)


def test_only_the_parser_that_is_needed_is_built(monkeypatch, capsys):
    from ornstein.cli import main as module_or_function

    module = sys.modules["ornstein.cli.main"]
    assert module_or_function is module.main
    built = []
    original = module.command
    monkeypatch.setattr(module, "command", lambda f: built.append(f.__name__) or original(f))
    assert main(["predict", "speciation"]) == 0
    assert built == ["speciation"]
    capsys.readouterr()


def test_a_plot_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "one-step", "--plot", "/proc/no/such.png"]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("ornstein: error: cannot read or write '/proc/no/such.png'")
    assert complaint.count("\n") == 1
