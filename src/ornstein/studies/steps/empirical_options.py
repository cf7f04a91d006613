"""What a steps study of the memorizing optimum computes."""

from __future__ import annotations

__all__ = ["EmpiricalStepsOptions"]

from dataclasses import dataclass, field

from ornstein.studies.steps.options import StepsOptions


@dataclass(frozen=True)
class EmpiricalStepsOptions(StepsOptions):
    """What a steps study of the memorizing optimum computes.

    Parameters
    ----------
    steps : tuple of int
        numbers of sampling steps S: start:stop:step (stop included) or a comma list
    generated : int
        points of each sampler and S; 0 for three times the dimension
    """

    train_sizes: tuple[int, ...] = (20, 100, 500)
    steps: tuple[int, ...] = (5, 10, 20, 50, 100)
    samplers: tuple[str, ...] = ("ddpm", "ddim", "heun")
    dim: int = 16
    ridge: float = field(default=0.0, init=False)
    generated: int = 0
    simulations: int = 10

    def __post_init__(self) -> None:
        from ornstein.memorization.sample_measures import require_fit

        super().__post_init__()
        if self.generated == 0:
            object.__setattr__(self, "generated", 3 * self.dim)
        require_fit(self.generated, self.dim)
