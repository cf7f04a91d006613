"""Digits: train a small U-Net on 1,500 handwritten digits, and look at what it generates.

Takes about 20 minutes on two cores (a run that is stopped goes on where it was), keeps the
model in runs/digits/model, and writes runs/digits/digits.png: images from both starts of sampling,
the training images nearest to the second of them, and some training images.

    python examples/digits.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ornstein import memorized_fraction
from ornstein.data.files import load_data
from ornstein.engine.summary import mean_and_error
from ornstein.memorization.sample_measures import fitted_distances
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
from ornstein.reports.tables import with_error

FOLDER = Path("runs/digits")
SHOWN = 36


def main() -> None:
    """Train, sample from both starts, measure, draw."""
    data = load_data("digits")
    points, rest = data.split(1500, np.random.default_rng(0))
    images = points.reshape(-1, 1, 8, 8)
    trained = train(
        seeded(UNet, torch.Generator().manual_seed(0), width_multiplier=0.5),
        images,
        TrainingConfig(
            training_steps=4000, learning_rate=5e-4, train_fraction=1.0, ema_decay=0.999
        ),
        process=DiffusionProcess(200, prediction="v"),
        checkpoint=FOLDER / "training.ckpt",
        csv=FOLDER / "history.csv",
    )
    model = trained.model
    save_pretrained(model, FOLDER / "model")
    print(f"trained in {trained.seconds:.0f} s, last loss {trained.history[-1]['train_loss']:.4f}")
    panels = {}
    unit = data.dim * data.std**2
    for start in ("standard", "marginal"):
        drawn = model.sample(2000, start=start, generator=torch.Generator().manual_seed(0))
        generated = drawn.flatten(1).double().numpy()
        copied = memorized_fraction(generated, points, rest)
        # Of four samples of 500, for a standard error.
        fits = [fitted_distances(part, data.moments()) for part in np.split(generated, 4)]
        distance = with_error(*mean_and_error([fit.wasserstein2 / unit for fit in fits]))
        print(
            f"{start} start: memorized {copied.fraction:.4f} [{copied.low:.4f}, "
            f"{copied.high:.4f}], held out {copied.held_out_fraction:.4f} "
            f"[{copied.held_out_low:.4f}, {copied.held_out_high:.4f}]; "
            f"W2^2 of the Gaussian fit in d s^2: {distance}"
        )
        panels[f"{start} start"] = drawn[:SHOWN].numpy()
    panels["nearest training image"] = nearest_images(panels["marginal start"], images)
    panels["training"] = images[:SHOWN]
    figure = image_sheets([panels], (0.0, 16.0), columns=6)
    save_figure(figure, FOLDER / "digits.png")


if __name__ == "__main__":
    main()
