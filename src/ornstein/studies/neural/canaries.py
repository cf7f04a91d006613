r"""Canaries: records planted in the training set, and whether the model gives them away.

Every cell trains two networks on n images: one as ever, and one in whose training set k images are
replaced by canaries. A *canary* is a fresh record of the source with its coordinates in random
order: values as the data have them, in a pattern that they do not have. As many records made in the
same way are *controls*: no network has seen them. So whatever is said of canaries is to be read
beside the same of controls, and of the network without canaries, which cannot tell the two apart.

* *found*: canaries that have a generated point nearer than half the distance to the nearest other
  training image;
* *distance* from a canary to the nearest generated point, per coordinate, in standard deviations of
  the data;
* *AUC* of the membership attack (:mod:`ornstein.memorization.membership`) at noise of 0.3 standard
  deviations, canaries against controls, which is 1/2 for a network that has not seen them.

All other columns are of the network without canaries.

References
----------
Carlini, Liu, Erlingsson, Kos, Song, "The secret sharer: evaluating and testing unintended
memorization in neural networks", 2019.
"""

from __future__ import annotations

__all__ = ["CanaryStudy", "CanarySummary", "CANARY_METRICS"]

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.engine.study import cell_seed
from ornstein.engine.summary import mean_and_error
from ornstein.intervals import Z95, wilson_interval
from ornstein.memorization.membership import membership_attack
from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.studies.neural.models import generate, train_models
from ornstein.studies.neural.unet import UNetStudy, UNetSummary
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.studies.neural.models import TrainedModel
    from ornstein.studies.neural.study import CellData

    Array = NDArray[np.float64]

CANARY_METRICS = (
    "canary_found",
    "control_found",
    "canary_distance",
    "control_distance",
    "canary_auc",
    "canary_auc_se",
    "canary_auc_without",
    "canary_auc_without_se",
)
_NOISE, _NOISED = 0.3, 4


@dataclass(frozen=True)
class CanaryStudy(UNetStudy):
    """A study of networks with and without planted records."""

    canaries: int = field(default=10, kw_only=True)
    """k, in each training set; 2 or more, and at most half of what is trained on."""

    name: ClassVar[str] = "unet-canaries"

    def __post_init__(self) -> None:
        super().__post_init__()
        as_count(self.canaries, "canaries", at_least=2)
        least = self.options.trained_on(min(self.train_sizes))
        if 2 * self.canaries > least:
            raise ValueError(
                f"canaries is {self.canaries}, and {least} images are trained on at n = "
                f"{min(self.train_sizes)}: expected at most {least // 2}"
            )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the values that a cell measures."""
        return (*super().metrics, *CANARY_METRICS)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell."""
        return {**super().identity, "canaries": self.canaries}

    @property
    def settings(self) -> dict[str, Any]:
        """The options, and the number of canaries."""
        return {**super().settings, "canaries": self.canaries}

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell: of two networks."""
        return 2 * super().seconds(cell)

    def planted(self, cell: Cell) -> tuple[Array, Array]:
        """Canaries and controls of a cell, both of shape (canaries, dim).

        Raises
        ------
        ValueError
            If the source has too few fresh points.
        """
        fresh = UNetStudy.draw(self, cell).held_out
        count = 2 * self.canaries
        if len(fresh) < count:
            raise ValueError(
                f"canaries is {self.canaries}, and {len(fresh)} fresh points are left to make them "
                f"and as many controls of: expected at most {len(fresh) // 2}"
            )
        rng = np.random.default_rng(cell_seed(self.seed, cell).spawn(5)[4])
        chosen = fresh[rng.choice(len(fresh), count, replace=False)]
        made = rng.permuted(chosen, axis=1)
        return made[: self.canaries], made[self.canaries :]

    def summarize(self, store: Store) -> CanarySummary:
        """Add what is known of canaries to the rows of the networks without."""
        plain = super().summarize(store)
        found = store.of(self)
        rows = [{**row, **self._canary_row(found[row["train_size"]])} for row in plain.rows]
        together = {name: [v for own in found.values() for v in own[name]] for name in self.metrics}
        overall = {**plain.overall, **self._canary_row(together)} if found else {}
        known = {entry.name: getattr(plain, entry.name) for entry in fields(plain)}
        note = (
            f"canaries: {self.canaries} fresh records with their coordinates in random order, in "
            "the place of training images; controls: as many that no network has seen. All other "
            "columns are of networks without canaries."
        )
        known |= {"rows": rows, "overall": overall, "notes": [*plain.notes, note]}
        return CanarySummary(**known, canaries=self.canaries)

    def _measure_trained(self, trained: Sequence[TrainedModel]) -> list[dict[str, float]]:
        values = super()._measure_trained(trained)
        folder = self.execution.folder
        execution = replace(
            self.execution,
            folder=None if folder is None else folder / "canaries",
            tensorboard=None,
        )
        study = _PlantedStudy(self.options, execution, canaries=self.canaries)
        planted = train_models(study, [each.cell for each in trained])
        points = generate(study, planted)
        for own, plain, model, new in zip(values, trained, planted, points, strict=True):
            own.update(self._canary_values(plain, model, new))
            if model.checkpoint is not None:
                model.checkpoint.unlink(missing_ok=True)
        return values

    def _canary_values(
        self, plain: TrainedModel, model: TrainedModel, points: Array
    ) -> dict[str, float]:
        canaries, controls = self.planted(model.cell)
        rest = model.train[~_rows_in(model.train, canaries)]
        values = {}
        for name, records in (("canary", canaries), ("control", controls)):
            near = nearest_neighbours(records, points, k=1).distances[:, 0]
            around = nearest_neighbours(records, rest, k=1).distances[:, 0]
            values[f"{name}_found"] = float((near < around / 2).mean())
            values[f"{name}_distance"] = float(near.mean() / math.sqrt(self.dim) / self.std)
        for name, network in (("canary_auc", model), ("canary_auc_without", plain)):
            attack = membership_attack(
                network.model.denoise,
                canaries,
                controls,
                [_NOISE * self.std],
                noised=_NOISED,
                random_state=network.seeds.sampling,
            )
            values[name] = float(attack.auc[0])
            values[f"{name}_se"] = float(attack.auc_high[0] - attack.auc_low[0]) / (2 * Z95)
        return values

    def _canary_row(self, values: Mapping[str, Sequence[float]]) -> dict[str, float]:
        row: dict[str, float] = {}
        for name in ("canary", "control"):
            share = np.asarray(values[f"{name}_found"])
            count = share.size * self.canaries
            low, high = wilson_interval(float(share.sum()) * self.canaries, count)
            row |= {f"{name}_found": float(share.mean())}
            row |= {f"{name}_found_low": low, f"{name}_found_high": high}
        for name in ("canary_distance", "control_distance"):
            row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(values[name])
        for name in ("canary_auc", "canary_auc_without"):
            auc, errors = np.asarray(values[name]), np.asarray(values[f"{name}_se"])
            half = Z95 * math.sqrt(float(np.square(errors).sum())) / errors.size
            row[name] = float(auc.mean())
            row[f"{name}_low"] = max(row[name] - half, 0.0)
            row[f"{name}_high"] = min(row[name] + half, 1.0)
        return row


class _PlantedStudy(CanaryStudy):
    """The same cells, with canaries in the place of images that are trained on."""

    def draw(self, cell: Cell) -> CellData:
        """Training images, some replaced."""
        from ornstein.networks.training.data import split_indices

        data = super().draw(cell)
        canaries, _ = self.planted(cell)
        rows, _ = split_indices(
            len(data.images), self.options.train_fraction, self.seeds(cell).training
        )
        images = data.images.copy()
        images[rows.numpy()[: self.canaries]] = canaries.reshape(-1, *self.shape)
        return data._replace(images=images)


def _rows_in(points: Array, others: Array) -> NDArray[np.bool_]:
    """Which points equal one of the others."""
    return np.any([(points == other).all(axis=1) for other in others], axis=0)


@dataclass(frozen=True, kw_only=True)
class CanarySummary(UNetSummary):
    """What a study of networks with and without canaries found."""

    canaries: int = 0
