"""What hand-made summaries of trained networks have in common."""

from typing import Any

from ornstein.studies.neural.options import NeuralOptions

DIM, STD = 16, 0.2
STUDIED: dict[str, Any] = {
    "source": "N(0.5, 0.2^2)",
    "shape": (1, 4, 4),
    "dim": DIM,
    "std": STD,
    "trained_on": {20: 18, 40: 36, 80: 72},
    "optimiser_steps": {20: 10, 40: 20, 80: 30},
    "notes": ["a note on all this"],
    "theory": {"linear_loss": 0.6123},
}


def options(**changes: Any) -> NeuralOptions:
    fields: dict[str, Any] = {
        "train_sizes": (20, 40, 80),
        "model": "mlp",
        "pixels": 4,
        "width": 32,
        "diffusion_steps": 50,
        "generated": 60,
        "seed": 7,
    }
    return NeuralOptions(**{**fields, **changes})


def numbered(names: tuple[str, ...], n: int, low: float = 0.0, high: float = 1.0) -> dict[str, Any]:
    """Means and errors between two bounds, all different, and different from size to size."""
    found = {}
    for place, name in enumerate(names):
        share = (place + 0.5 + n / 500) / (len(names) + 1)
        found[f"{name}_mean"] = low + (high - low) * share
        found[f"{name}_se"] = (0.003 + place / 2000 + n / 1e5) * (high - low)
    return found


def share(name: str, middle: float) -> dict[str, float]:
    return {
        f"{name}_positive": middle,
        f"{name}_positive_low": middle - 0.11,
        f"{name}_positive_high": middle + 0.07,
    }
