r"""Audits of one model at several times of its training, with the level spent over all of them.

Whoever looks k times at level alpha is alarmed more often than alpha says. Each of k planned looks
therefore tests at ``alpha / k``, so that over all of them a model that does not depend on its
training data is called dependent with probability alpha at most (Bonferroni; the looks share their
training and held-out points and are far from independent, which the bound does not need).

The list of copies keeps its false discovery rate at each look: divided by k it could list nothing
short of ``k / q`` copied points. A false list at some look is therefore up to k times as likely as
at one.

In a loop of your own::

    looks = AuditLooks(train, held_out, looks=5)
    for epoch in range(50):
        ...
        if epoch % 10 == 9:
            report = looks.look(model.sample(1000), label=f"epoch {epoch + 1}")
            print(report.verdict)

With Lightning, :class:`ornstein.studies.neural.audit_callback.AuditCallback` does that.
"""

from __future__ import annotations

__all__ = ["AuditLooks", "Look", "look_numbers"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.memorization.audit import audit
from ornstein.validation import as_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ornstein.memorization.audit_report import AuditReport


class Look(NamedTuple):
    """One audit, and when it was made."""

    label: str
    report: AuditReport


class AuditLooks:
    """A planned number of audits of one model.

    Parameters
    ----------
    train, held_out : array-like of shape (n_points, dim)
        As for :func:`ornstein.audit`.
    looks : int
        How many audits there will be at most.
    alpha : float
        Level of all looks together, of each of the two tests.
    **options
        Other options of :func:`ornstein.audit`. `metrics` and `progress` are False by default.

    Raises
    ------
    ValueError
        If `looks` is below 1 or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, held_out, generated = (rng.standard_normal((100, 8)) for _ in range(3))
    >>> looks = AuditLooks(train, held_out, looks=2)
    >>> looks.look(generated, "epoch 10").verdict, looks.look(train, "epoch 90").verdict
    ('nothing detected', 'copies')
    >>> [(look.label, look.report.alpha) for look in looks.history]
    [('epoch 10', 0.025), ('epoch 90', 0.025)]
    """

    def __init__(
        self,
        train: ArrayLike,
        held_out: ArrayLike,
        looks: int,
        *,
        alpha: float = 0.05,
        **options: Any,
    ) -> None:
        self.train, self.held_out = np.asarray(train), np.asarray(held_out)
        self.looks = as_count(looks, "looks")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha:g}, expected a number between 0 and 1")
        self.alpha = alpha
        self.options = {"metrics": False, "progress": False, **options}
        self.history: list[Look] = []

    def look(self, generated: ArrayLike, label: str = "") -> AuditReport:
        """Audit what the model generates now, at this look's part of the level.

        Parameters
        ----------
        generated : array-like of shape (n_generated, dim)
        label : str
            When this is, for the history.

        Raises
        ------
        ValueError
            If all planned looks were made.
        """
        if len(self.history) >= self.looks:
            raise ValueError(
                f"this is look {len(self.history) + 1} of {self.looks} that were planned: give "
                "looks as many as there will be, since the level is divided among them"
            )
        report = audit(
            self.train, self.held_out, generated, alpha=self.alpha / self.looks, **self.options
        )
        self.history.append(Look(label or f"look {len(self.history) + 1}", report))
        return report

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with a row for each look: shares, p-values, numbers of copies."""
        import pandas as pd

        rows = [{"label": label, **look_numbers(report)} for label, report in self.history]
        return pd.DataFrame(rows)


def look_numbers(report: AuditReport) -> dict[str, Any]:
    """What is followed through training, by name."""
    return {
        "verdict": report.verdict,
        "copies": len(report.copies),
        "exact_copies": len(report.exact_copies),
        "train_share": report.train_share,
        "dependence_p_value": report.dependence_p_value,
        "gaussian_share": report.gaussian_share,
        "gaussian_p_value": report.gaussian_p_value,
        "minimum_detectable_fraction": report.minimum_detectable_fraction,
    }
