"""Numbers in strict JSON, which has no NaN and no infinity, and from there.

NaN is null, and infinities are the texts ``inf`` and ``-inf``, so that all is read back as it was.
"""

from __future__ import annotations

__all__ = ["as_json", "from_json"]

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(document: Any) -> str:
    """Return strict JSON: infinities become strings, NaN null, tuples with names objects.

    Examples
    --------
    >>> as_json({"n": (1, 2), "low": -math.inf, "mean": math.nan})
    '{"n": [1, 2], "low": "-inf", "mean": null}'
    """

    def plain(value: Any) -> Any:
        if hasattr(value, "_asdict"):
            value = value._asdict()
        if isinstance(value, Mapping):
            return {str(key): plain(entry) for key, entry in value.items()}
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list | tuple):
            return [plain(entry) for entry in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
        return value

    return json.dumps(plain(document), allow_nan=False)


def from_json(value: Any) -> Any:
    """Return what `as_json` was given, from its JSON once that is read: lists become tuples.

    Examples
    --------
    >>> from_json(json.loads('{"n": [1, 2], "low": "-inf", "mean": null}'))
    {'n': (1, 2), 'low': -inf, 'mean': nan}
    """
    if isinstance(value, dict):
        return {name: from_json(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return tuple(map(from_json, value))
    if value is None:
        return math.nan
    return float(value) if value in ("inf", "-inf") else value
