"""A Gaussian copula on a mixed table, with 2% of its rows replayed: they are found.

Numbers are drawn with the ranks of a fitted Gaussian, categories with their shares; then 2% of the
rows made are replaced by training rows. Run: python examples/audit_copula.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from ornstein import audit

ROWS, REPLAYED = 1000, 0.02


def people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of a made-up population: three numbers that hang together, two categories."""
    age = rng.gamma(9.0, 5.0, n).round(1)
    income = np.exp(9 + 0.02 * age + 0.5 * rng.standard_normal(n)).round(2)
    debt = (income * rng.beta(2, 5, n)).round(2)
    city = rng.choice(["Rome", "Oslo", "Lima", "Cairo"], n, p=[0.4, 0.3, 0.2, 0.1])
    work = np.where(rng.random(n) < age / 100, "retired", "employed")
    return pd.DataFrame({"age": age, "income": income, "debt": debt, "city": city, "work": work})


def copula(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows drawn from a Gaussian copula of the numbers, and categories by their shares."""
    numbers = ["age", "income", "debt"]
    scores = norm.ppf([rankdata(table[name]) / (len(table) + 1) for name in numbers])
    drawn = norm.cdf(rng.multivariate_normal(np.zeros(3), np.corrcoef(scores), n))
    made = {
        name: np.quantile(table[name], share).round(2)
        for name, share in zip(numbers, drawn.T, strict=True)
    }
    for name in ("city", "work"):
        made[name] = rng.choice(table[name], n)
    return pd.DataFrame(made)


def main() -> None:
    """Audit the copula as it is, and with rows replayed."""
    rng = np.random.default_rng(0)
    train, held_out = people(ROWS, rng), people(ROWS, rng)
    clean = copula(train, ROWS, rng)
    replayed = clean.copy()
    count = round(REPLAYED * ROWS)
    replayed.iloc[:count] = train.iloc[:count].to_numpy()
    for name, made in (("copula", clean), ("2% replayed", replayed)):
        report = audit(train, held_out, made, metrics=False)
        listed = {copy.generated for copy in (*report.copies, *report.exact_copies)}
        print(
            f"{name:12s} {report.verdict:28s} listed {len(listed):3d}, of those replayed "
            f"{len(listed & set(range(count))):2d}; f = {report.train_share:.3f}, found from "
            f"{100 * report.minimum_detectable_fraction:.1f}%"
        )


if __name__ == "__main__":
    main()
