"""Audits with fewer draws than users have: for what does not depend on their number."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ornstein import AuditReport, audit
from ornstein.memorization import power, reference


@contextmanager
def few_draws() -> Iterator[None]:
    """The least number for a test at 5%, and a least share of copies that is less exact."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "_DRAWS", 39)
        patch.setattr(power, "_REPETITIONS", 40)
        yield


def quick(*sets: Any, **options: Any) -> AuditReport:
    """An audit without the metrics of others."""
    with few_draws():
        return audit(*sets, **{"metrics": False, "progress": False, **options})
