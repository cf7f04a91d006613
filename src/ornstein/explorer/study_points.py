"""Points of a study."""

from __future__ import annotations

__all__ = ["study_points"]


def study_points() -> None:
    """Placeholder."""
