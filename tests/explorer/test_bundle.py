"""Modules joined into one script, the page that holds it, and the points of a study in it."""

from __future__ import annotations

import json
import math
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from tests.explorer.golden import node_output

from ornstein import theory
from ornstein.cli.main import main
from ornstein.explorer import explorer_page, study_points
from ornstein.explorer.bundle import joined_modules
from ornstein.studies import LinearOptions, LinearStudy, StepsOptions, StepsStudy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def written(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def run(script: str) -> str:
    return node_output(["-e", script])


def test_modules_keep_their_names_to_themselves(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        # Both have a `scale` of their own; `low` is needed twice and runs once.
        low='console.log("low");\nexport const one = 1;\nfunction scale() { return 10; }\n'
        "export function ten() {\n  return scale() * one;\n}\n",
        middle='import { one as unit, ten } from "./low.js";\n'
        "function scale() { return 5; }\n"
        "class Held {\n  get() { return unit + ten() + scale(); }\n}\n"
        "export { Held as Kept, scale };\n",
        main='import {\n  Kept,\n} from "./middle.js";\nimport { one } from "./low.js";\n'
        "console.log(new Kept().get(), one);\n",
    )
    assert run(joined_modules(entry)).split("\n") == ["low", "16 1", ""]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('import all from "./low.js";\n', "given 'import all from \"./low.js\";', expected named"),
        ('import * as low from "./low.js";\n', "expected named imports"),
        ("export default 3;\n", "main.js: given 'export default 3;'"),
    ],
)
def test_other_imports_are_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ValueError, match=match.replace("*", r"\*")):
        joined_modules(written(tmp_path, low="export const a = 1;\n", main=text))


def test_circles_are_refused(tmp_path: Path) -> None:
    circle = {"low": "main", "main": "low"}
    texts = {name: f'import {{ a }} from "./{other}.js";\n' for name, other in circle.items()}
    with pytest.raises(ValueError, match=r"in a circle: main.js -> low.js -> main.js"):
        joined_modules(written(tmp_path, **texts))


def test_nothing_in_the_page_ends_its_scripts() -> None:
    page = explorer_page({"name": "</script><b>", "rows": [], "value": math.inf, "none": math.nan})
    assert page.count("</script>") == 4 - 1  # study, worker, page
    inlined = page.split('id="study">')[1].split("</script>")[0]
    read = {"name": "</script><b>", "rows": [], "value": "infinite", "none": None}
    assert json.loads(inlined) == read
    assert "{{" not in page.split("<script")[0]
    assert "https://" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)
        run_studies(folder)
    return folder


def run_studies(folder: Path) -> None:
    linear: dict[str, Any] = {"train_sizes": (12, 30), "simulations": 3}
    LinearStudy(LinearOptions(dim=6, **linear)).run(folder / "linear", jobs=1)
    scaled = {"spectrum": "power-law:1", "std": (2.0,), "noise_scale": 6.0, "time": 1.0}
    LinearStudy(LinearOptions(dim=5, **scaled, **linear)).run(folder / "scaled", jobs=1)
    LinearStudy(LinearOptions(spectrum="4,2,1,1", **linear)).run(folder / "list", jobs=1)
    LinearStudy(LinearOptions(dim=2, mean=(0.0, 5.0), **linear)).run(folder / "mixture", jobs=1)
    steps: dict[str, Any] = {"dim": 4, "train_sizes": (20,), "steps": (5, 9), "simulations": 2}
    samplers = ("heun", "ddim")
    StepsStudy(StepsOptions(samplers=samplers, schedule="cosine", **steps)).run(
        folder / "steps", jobs=1
    )
    StepsStudy(StepsOptions(samplers=("ddim",), ridge=0.1, **steps)).run(folder / "ridge", jobs=1)


def test_points_of_a_linear_study(studies: Path) -> None:
    found = study_points(studies / "linear")
    assert (found["kind"], found["name"]) == ("linear", "linear")
    assert found["state"] == {
        "spectrum": "isotropic",
        "d": 6,
        "T": 2.0,
        "noise": 1.0,
        "ratio_n": 5.0,
    }
    assert [row["train_size"] for row in found["rows"]] == [12, 30]
    np.testing.assert_allclose(
        [row["kl_theory"] for row in found["rows"]], theory.one_step(6, [12, 30]).kl
    )


def test_points_come_in_units_of_the_mean_variance(studies: Path) -> None:
    found = study_points(studies / "scaled")
    expected = {"spectrum": "power-law", "d": 5, "exponent": 1.0, "T": 1.0, "noise": 1.5}
    assert found["state"] == expected | {"ratio_n": 6.0}
    values = 1 / np.arange(1.0, 6.0)
    # The tables of a study count the fluctuations of the start variance.
    scaled = values / values.mean()
    law = theory.one_step_anisotropic(scaled, [12, 30], 1.0, 1.5, fitted_variance=True)
    for name, of in (("kl", "kl"), ("wasserstein2", "wasserstein_squared")):
        ours = [row[f"{name}_theory"] for row in found["rows"]]
        np.testing.assert_allclose(ours, getattr(law, of), rtol=1e-9)
    written = pd.read_csv(studies / "scaled" / "summary.csv")
    for name in written.select_dtypes("number").columns:
        unit = 4.0 if name.startswith("wasserstein2_") else 1.0
        ours = [row[name] for row in found["rows"]]
        np.testing.assert_allclose(ours, written[name] / unit, err_msg=name)
    listed = study_points(studies / "list")
    assert listed["state"] == {
        "spectrum": "list",
        "list": [4, 2, 1, 1],
        "T": 2.0,
        "noise": 0.5,
        "ratio_n": 7.5,
    }


def test_points_of_a_steps_study(studies: Path) -> None:
    found = study_points(studies / "steps")
    state = {"spectrum": "isotropic", "d": 4, "sampler": "heun", "schedule": "cosine"}
    assert found["state"] == state | {"grid": "karras", "ratio_n": 5.0}
    assert {row["sampler"] for row in found["rows"]} == {"heun", "ddim"}
    assert math.isinf(found["rows"][-1]["steps"])


@pytest.mark.parametrize(
    ("options", "state", "samplers"),
    [
        # Of mean 1, so that it has the standard deviation of the page.
        (
            {"spectrum": "1.5,1,1,0.5", "samplers": ("ddim",)},
            {"spectrum": "list", "list": [1.5, 1.0, 1.0, 0.5], "sampler": "ddim"},
            {"ddim"},
        ),
        (
            {"dim": 4, "samplers": ("heun", "ddim"), "grid": "tangent"},
            {"spectrum": "isotropic", "d": 4, "grid": "tangent", "sampler": "heun"},
            {"heun", "ddim"},
        ),
        # The page's curves are those of other noise levels: without these points.
        (
            {"dim": 4, "samplers": ("heun", "ddim"), "grid": "log"},
            {"grid": "karras", "sampler": "ddim"},
            {"ddim"},
        ),
        (
            {"dim": 4, "population": "power-law", "samplers": ("euler", "ddim"), "grid": "tangent"},
            {"spectrum": "power-law", "exponent": 1.0, "sampler": "ddim"},
            {"ddim"},
        ),
        (
            {"dim": 4, "samplers": ("ddim", "heun"), "schedule": "karras"},
            {"schedule": "karras", "grid": "karras", "sampler": "ddim"},
            {"ddim", "heun"},
        ),
        ({"dim": 4, "samplers": ("heun",), "ode_schedule": "linear"}, None, set()),
        ({"dim": 4, "samplers": ("ddim:0.5",)}, None, set()),
    ],
)
def test_steps_studies_stand_on_curves_of_their_own_levels(
    studies: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    state: dict[str, Any] | None,
    samplers: set[str],
) -> None:
    chosen = StepsOptions(train_sizes=(20,), steps=(3,), simulations=1, **options)
    status = SimpleNamespace(identity=StepsStudy(chosen).identity)
    # The package has a function of the module's name.
    module = import_module("ornstein.explorer.study_points")
    monkeypatch.setattr(module, "read_status", lambda _: status)
    # The rows are of heun and ddim.
    if state is None:
        with pytest.raises(ValueError, match="has none of the samplers heun, euler, ddim, ddpm"):
            study_points(studies / "steps")
        return
    found = study_points(studies / "steps")
    assert found["state"] | state == found["state"]
    assert {row["sampler"] for row in found["rows"]} == samplers


def test_studies_that_the_page_has_no_theory_of(studies: Path, tmp_path: Path) -> None:
    for name, match in (
        ("mixture", "is a study of data or of a mixture, expected one of a single Gaussian"),
        ("ridge", "is a steps study with ridge 0.1, expected 0.0"),
    ):
        with pytest.raises(ValueError, match=match):
            study_points(studies / name)
    with pytest.raises(ValueError, match="no study in"):
        study_points(tmp_path)


def test_the_command(
    studies: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    tried: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: bool(tried.append(url)))
    assert main(["explore"]) == 0
    assert tried == [(tmp_path / "explorer.html").as_uri()]
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "explorer written to explorer.html",
        "no browser was found here: open the file in one",
    ]
    assert main(["explore", str(studies / "list"), "--out", "new/page.html", "--no-open"]) == 0
    assert len(tried) == 1
    text = "explorer written to new/page.html, with 2 rows of a linear study\n"
    assert capsys.readouterr().out == text
    # Written again, but nothing else is overwritten.
    assert main(["explore", "--out", "new/page.html", "--no-open"]) == 0
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    for arguments, message in (
        (["--out", "mine.html"], "'mine.html' is there, and no page of this command"),
        (["--out", "page.txt"], "--out: given 'page.txt', expected a file name that ends in .html"),
        (["a", "b"], "given 2 folders, expected one study folder, or none"),
        (["nowhere"], "no study in 'nowhere'"),
    ):
        assert main(["explore", *arguments]) == 2
        assert f"ornstein: error: {message}" in capsys.readouterr().err


def test_an_inlined_study_lies_on_the_curve(studies: Path, opened: Callable[..., Any]) -> None:
    assert main(["explore", str(studies / "scaled"), "--no-open"]) == 0
    page = opened(studies / "scaled" / "explorer.html")
    shown = page.go()
    assert shown.input_value("#input-spectrum") == "power-law"
    assert "T=" not in shown.url
    assert "your study, scaled" in shown.inner_text("#panel-distances .key")
    assert len(shown.query_selector_all("#panel-distances .drawing .points.study path")) == 4 * 2
    law = theory.one_step_anisotropic(np.array([60, 30, 20, 15, 12]) / 27.4, 30, 1.0, 1.5)
    assert page.numbers()["threshold"][0] == pytest.approx(float(law.threshold))
    assert main(["explore", str(studies / "steps"), "--no-open"]) == 0
    page = opened(studies / "steps" / "explorer.html")
    shown = page.go()
    assert len(shown.query_selector_all("#panel-steps .drawing .points.study path")) == 2
