"""Several looks at one model: the level is divided, the history kept, no look beyond the plan."""

import numpy as np
import pytest

from ornstein.memorization.audit_looks import AuditLooks, look_numbers


def test_the_level_is_divided_among_the_looks() -> None:
    rng = np.random.default_rng(0)
    train, held_out, new = (rng.standard_normal((80, 4)) for _ in range(3))
    looks = AuditLooks(train, held_out, 3, alpha=0.06, fdr=0.2, random_state=5)
    reports = [looks.look(new, "first"), looks.look(train[:40] + 1e-3), looks.look(new)]
    assert [report.alpha for report in reports] == [0.02] * 3
    assert [report.fdr for report in reports] == [0.2] * 3
    assert [report.verdict for report in reports][1] == "copies"
    assert reports[0] == reports[2]
    assert reports[0].metrics == ()
    table = looks.to_pandas()
    assert table["label"].tolist() == ["first", "look 2", "look 3"]
    assert table["train_share"].tolist() == [report.train_share for report in reports]
    assert table["copies"].tolist()[1] == len(reports[1].copies)
    assert list(table.columns[1:]) == list(look_numbers(reports[0]))
    with pytest.raises(ValueError, match="this is look 4 of 3 that were planned"):
        looks.look(new)


def test_bad_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="looks is 0, expected at least 1"):
        AuditLooks(np.eye(3), 2 * np.eye(3), 0)
    with pytest.raises(ValueError, match="alpha is 2, expected a number between 0 and 1"):
        AuditLooks(np.eye(3), 2 * np.eye(3), 2, alpha=2)
