"""What a look at data finds: how much it matters, one sentence, and what to do."""

from __future__ import annotations

__all__ = ["Finding", "Level", "note", "warning", "refusal", "refuse", "by_level"]

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["note", "warning", "refusal"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    level : str
        ``note``: how data were read; ``warning``: results may mislead; ``refusal``: the data cannot
        be used as they are.
    text : str
        One sentence, without a full stop.
    advice : str
        What to do; empty where nothing is to be done.
    """

    level: Level
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.advice}" if self.advice else self.text

    def to_dict(self) -> dict[str, str]:
        """Level, text and advice."""
        return asdict(self)


def note(text: str, advice: str = "") -> Finding:
    """Say how data were read."""
    return Finding("note", text, advice)


def warning(text: str, advice: str = "") -> Finding:
    """Say what may mislead."""
    return Finding("warning", text, advice)


def refusal(text: str, advice: str = "") -> Finding:
    """Say why data cannot be used."""
    return Finding("refusal", text, advice)


def refuse(findings: Iterable[Finding], name: str = "") -> None:
    """Raise ValueError for the first refusal among `findings`, if there is one.

    Parameters
    ----------
    findings : iterable of Finding
    name : str
        Of the set, which the message begins with unless it stands there already.

    Examples
    --------
    >>> refuse([note("5 files read")])
    """
    for finding in findings:
        if finding.level == "refusal":
            text = str(finding)
            raise ValueError(text if not name or name in text else f"{name}: {text}")


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Refusals first, then warnings, then notes, each in their order."""
    order = ("refusal", "warning", "note")
    return sorted(findings, key=lambda finding: order.index(finding.level))
