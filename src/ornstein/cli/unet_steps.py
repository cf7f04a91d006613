"""``ornstein steps --model unet``: a trained network in few or many sampling steps."""

from __future__ import annotations

__all__ = ["unet_steps"]

from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.conducting import Report
from ornstein.cli.learned import Running, need_networks, run_learned

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.engine.store import Store
    from ornstein.studies.neural.steps import LearnedStepsStudy


def unet_steps(
    model: Literal["unet", "mlp"],
    samplers: tuple[str, ...],
    steps: tuple[int, ...],
    train_sizes: tuple[int, ...],
    running: Running,
    *,
    generated: int | None = None,
    **options: Any,
) -> int:
    """Run the steps study of a trained network.

    Parameters
    ----------
    model : {"unet", "mlp"}
    samplers, steps, train_sizes : tuples
        Of :class:`~ornstein.studies.neural.steps.LearnedStepsConfig`.
    running : Running
        Where and how to compute.
    generated : int or None
        Points of each sampler and number of steps; three times the dimension when left out.
    **options
        Others of the configuration.
    """
    need_networks()
    from ornstein.cli.steps import steps as steps_command
    from ornstein.data.images import DEFAULT_PIXELS, load_shaped
    from ornstein.studies.neural.steps import LearnedStepsConfig, LearnedStepsStudy

    count = generated
    if count is None:
        data, pixels = options.get("data"), options.get("pixels")
        known = None if data is None else load_shaped(data, pixels).data.dim
        count = 3 * (known or (pixels or DEFAULT_PIXELS) ** 2)
    config = LearnedStepsConfig(
        train_sizes=train_sizes,
        model=model,
        samplers=samplers,
        steps=steps,
        generated=count,
        **options,
    )
    return run_learned(LearnedStepsStudy(config), running, _report, steps_command)


def _report(study: LearnedStepsStudy, store: Store, folder: Path) -> Report | None:  # noqa: ARG001
    from ornstein.reports.unet_steps import unet_steps_figure, unet_steps_tables
    from ornstein.studies.neural.steps import summarize

    rows = summarize(study, store)
    if not rows:
        return None
    figures = {"figure": unet_steps_figure(study, rows)}
    return Report(rows, unet_steps_tables(study, rows), {"notes": study.notes}, figures)
