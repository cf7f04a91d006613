"""Digits: train a small U-Net on 1,500 handwritten digits, and look at what it generates.

Trains for about 15 minutes on two cores (a run that is stopped goes on where it was), keeps the
model in runs/digits/model, and writes runs/digits/digits.png: images from both starts of sampling,
the training images nearest to the second of them, and some training images.

    python examples/digits.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ornstein import memorized_fraction
from ornstein.datasets import load_data
from ornstein.networks import (
    DiffusionProcess,
    TrainingConfig,
    UNet,
    save_pretrained,
    seeded,
    train,
)
from ornstein.reports.figures import save_figure
from ornstein.reports.grids import image_sheets, nearest_images
from ornstein.studies.sample_measures import fitted_distances, moments_of

FOLDER = Path("runs/digits")
SHOWN = 36


def main() -> None:
    """Train, sample from both starts, measure, draw."""
    data = load_data("digits")
    points, rest = data.split(1500, np.random.default_rng(0))
    images = points.reshape(-1, 1, 8, 8)
    trained = train(
        seeded(lambda: UNet(width_multiplier=0.5), 0),
        images,
        TrainingConfig(max_steps=4000, learning_rate=5e-4, train_fraction=1.0, ema_decay=0.999),
        process=DiffusionProcess(200, prediction_type="v"),
        checkpoint=FOLDER / "training.ckpt",
        csv=FOLDER / "history.csv",
    )
    model = trained.model
    save_pretrained(model, FOLDER / "model")
    print(f"trained in {trained.seconds:.0f} s, last loss {trained.history[-1]['train_loss']:.4f}")
    panels = {}
    for start in ("standard", "marginal"):
        drawn = model.sample(1000, start=start, generator=torch.Generator().manual_seed(0))
        generated = drawn.flatten(1).double().numpy()
        copied = memorized_fraction(generated, points, rest)
        distance = fitted_distances(generated, moments_of(data)).wasserstein2
        print(
            f"{start:8} start: memorized {copied.fraction:.3f} [{copied.low:.3f}, "
            f"{copied.high:.3f}], held out {copied.held_out_fraction:.3f}; W2^2 of the Gaussian "
            f"fit {distance / (data.dim * data.std**2):.4f} d s^2, mean pixel "
            f"{generated.mean():.2f} (data {data.points.mean():.2f})"
        )
        panels[f"{start} start"] = drawn[:SHOWN].numpy()
    panels["nearest training image"] = nearest_images(panels["marginal start"], images)
    panels["training"] = images[:SHOWN]
    figure = image_sheets([panels], (0.0, 16.0), columns=6)
    save_figure(figure, FOLDER / "digits.png")


if __name__ == "__main__":
    main()
