"""The Gaussian reference: its numbers from shares that are known, and the spectrum it estimates."""

from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from ornstein.memorization import audit as audit_module
from ornstein.memorization import reference as module
from ornstein.memorization.audit_report import VERDICTS
from ornstein.memorization.pool import pool_of


def test_quantiles_p_value_and_weight_of_known_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares 0.005 to 0.495 of 99 sets, 0.45 of the generated points; 40 of them, 10 in a set."""
    train = np.random.default_rng(0).standard_normal((20, 3))
    shares = chain(np.arange(1, 100) / 200, [0.45])
    monkeypatch.setattr(module, "_MOST", 10)
    monkeypatch.setattr(module, "measure", lambda points, *_: (len(points), None))
    monkeypatch.setattr(module, "unit_counts", lambda *_: None)
    monkeypatch.setattr(module, "train_share", lambda _: next(shares))
    monkeypatch.setattr(module, "unit_contrasts", lambda *_: np.array([-1.0, 2.0, 1.0]))
    contrasts = SimpleNamespace(contrast=np.zeros(40), of=lambda _: None)
    found = module.gaussian_reference(
        train,
        contrasts,  # type: ignore[arg-type]
        pool_of(train, -train),
        None,  # type: ignore[arg-type]
        np.random.default_rng(0),
        progress=False,
    )
    assert found.share == pytest.approx(0.25)
    assert (found.low, found.high) == (pytest.approx(0.01725), pytest.approx(0.48275))
    assert found.p_value == pytest.approx(0.11)  # 0.450 to 0.495 are ten, and one for itself
    std = np.std(np.arange(1, 100) / 200)
    assert found.detectable == pytest.approx(0.4705 + norm.ppf(0.8) * std)
    assert (found.draws, found.size) == (99, 10)
    # Of 990 drawn points 99 have contrasts of at least 2: 4 are expected of 40.
    assert found.reference.contrasts.tolist() == [1.0] * 99 + [2.0] * 99
    assert found.reference.beyond(np.array([1.0, 1.5, 2.5])) == pytest.approx([8.0, 4.0, 0.0])


def test_the_spectrum_of_the_closed_form_has_the_squares_of_the_population(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """tr Sigma^2 = 50 on average over training sets; that of the sample covariance is 61.8."""
    seen = []
    monkeypatch.setattr(
        module, "fitted_gaussian_share", lambda values, n, m: seen.append((values, n, m)) or 0.5
    )
    rng, std = np.random.default_rng(0), np.sqrt(np.repeat([3.0, 1.0], 5))
    for _ in range(400):
        module.closed_form_share(rng.standard_normal((30, 10)) * std, 77)
    assert {(n, m) for _, n, m in seen} == {(30, 77)}
    squares = [np.square(values).sum() for values, _, _ in seen]
    error = np.std(squares) / np.sqrt(len(squares))
    assert np.mean(squares) == pytest.approx(50, abs=3 * error)
    assert error < 0.7
    assert np.mean([values.sum() for values, _, _ in seen]) == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize(
    ("copied", "closer", "depends", "verdict"),
    [
        (True, 0.9, 0.9, 0),
        (False, 0.05, 0.05, 1),
        (False, 0.01, 0.06, 3),
        (False, 0.06, 0.01, 2),
        (False, 0.06, 0.06, 3),
    ],
)
def test_which_verdict_holds(copied: bool, closer: float, depends: float, verdict: int) -> None:
    """Closer than a Gaussian only together with dependence."""
    p_values = (SimpleNamespace(p_value=p) for p in (closer, depends))
    assert audit_module._verdict(copied, *p_values, 0.05) == VERDICTS[verdict]  # type: ignore[arg-type]
