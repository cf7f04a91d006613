"""The page's own special functions against SciPy's, and its modules as JavaScript."""

import re

import numpy as np
from scipy import special
from tests.explorer.golden import MODULES, Case, agree

from ornstein.theory import wishart_kl

POINTS = np.concatenate([np.geomspace(0.01, 1e6, 120), np.arange(0.5, 30.0, 0.5)])


def test_gamma_functions():
    # ln Gamma and psi cross zero.
    cases = [
        case
        for x in POINTS.tolist()
        for case in (
            Case("log_gamma", [x], special.gammaln(x), 1.0),
            Case("digamma", [x], special.digamma(x), 1.0),
            Case("trigamma", [x], special.polygamma(1, x)),
        )
    ]
    agree(cases, at_least=500)


def test_error_functions():
    cases = [
        case
        for x in np.linspace(-5.0, 25.0, 241).tolist()
        for case in (
            Case("erf", [x], special.erf(x)),
            Case("erfc", [x], special.erfc(x)),
            Case("erfcx", [x], special.erfcx(x)),
            Case("ndtr", [x], special.ndtr(x)),
        )
    ]
    cases += [Case("expit", [x], special.expit(x)) for x in (-800.0, -30.0, 0.0, 0.5, 40.0, 800.0)]
    rates = np.concatenate([np.geomspace(1e-300, 0.5, 100), 1 - np.geomspace(1e-12, 0.4, 50)])
    cases += [Case("ndtri", [p], special.ndtri(p), 1e-3) for p in [0.0, 1.0, *rates.tolist()]]
    agree(cases, at_least=1000)


def test_incomplete_beta_function():
    rng = np.random.default_rng(3)
    cases = []
    for _ in range(1500):
        a, b = np.round(10 ** rng.uniform((0.0, 0.0), (3.3, 5.0)))
        x = a / (a + b) * np.exp(3.0 * rng.standard_normal() / np.sqrt(min(a, b)))
        x = float(np.clip(x, 1e-9, 1 - 1e-9))
        cases.append(Case("betainc", [a, b, x], special.betainc(a, b, x), 1e-200))
    agree(cases, at_least=1500)


def test_wishart_divergences():
    cases = [
        Case("wishart_kl", [d, n], wishart_kl(d, n)._asdict())
        for d in (1, 2, 3, 10, 57, 400, 2000)
        for n in (1, 2, 3, 4, 9, 10, 11, 12, 60, 398, 402, 2001, 2002, 50_000)
    ]
    agree(cases, at_least=150)


def test_modules_can_be_joined_into_one():
    # The page has them in one script: only named exports, each top-level name once.
    names: dict[str, str] = {}
    for path in sorted(MODULES.glob("*.js")):
        text = path.read_text()
        assert len(text.splitlines()) <= 400, path.name
        assert "export default" not in text, path.name
        assert not re.search(r"^export\s*[{*]", text, re.MULTILINE), path.name
        for source in re.findall(r"from\s+(\S+);", text):
            assert re.fullmatch(r'"\./\w+\.js"', source), (path.name, source)
            assert (MODULES / source.strip('"')).is_file()
        found = re.findall(
            r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)", text, re.MULTILINE
        )
        for name in found:
            assert name not in names, f"{name} is in {names.get(name)} and {path.name}"
            names[name] = path.name
        # Nothing happens on loading: at the left margin stand declarations and their ends only.
        for line in text.splitlines():
            if line and not line.startswith((" ", "//", "/*", "*/", "}", "]", ")")):
                assert re.match(r"(import|export|function|const|class) ", line), (path.name, line)
    assert len(names) > 30
