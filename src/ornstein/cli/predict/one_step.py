"""Predictions on the one-step linear denoiser."""

from __future__ import annotations

__all__ = ["one_step", "spectrum"]

from ornstein.cli.parsing import as_json, integers, reals
from ornstein.cli.predict.output import draw_curves, print_table, whole_numbers_between


def one_step(
    dim: int = 100,
    n_train: str = "25:1000:25",
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """One-step linear denoiser: expected distances at training sizes n.

    Parameters
    ----------
    dim : int
        dimension d
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    std : float
        standard deviation of the isotropic population, in data units
    plot : str
        draw KL / d against n / d into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    sizes = np.array(integers(n_train, "n-train"))
    result = theory.one_step(dim, sizes, time, noise_scale, std)
    fields = {name: np.broadcast_to(value, sizes.shape) for name, value in result._asdict().items()}
    constants = {
        name: float(fields.pop(name)[0])
        for name in ("signal_fraction", "threshold", "kl_infinite_data")
    }
    if plot:
        grid = whole_numbers_between(sizes)
        draw_curves(
            plot,
            grid / dim,
            {"KL / d": theory.one_step(dim, grid, time, noise_scale, std).kl / dim},
            x_label="training size / dimension,  n / d",
            y_label="KL(generated || population) / d,  nats",
            logarithmic=True,
        )
    inputs = {"dim": dim, "time": time, "noise_scale": noise_scale, "std": std}
    if json:
        print(as_json({**inputs, **constants, "n_train": sizes, **fields}))
        return 0
    print(f"One-step linear denoiser on N(m, {std:g}^2 I), d = {dim}, T = {time:g}")
    print(
        f"rho2 = {constants['signal_fraction']:.6f}, n* = {constants['threshold']:.2f}, "
        f"KL at infinite n = {constants['kl_infinite_data']:.5f} nats"
    )
    headings = {
        "n": sizes,
        "KL, nats": fields["kl"],
        "Wasserstein^2": fields["wasserstein_squared"],
        "Hellinger^2": fields["hellinger_squared"],
        "tr/(d s^2)": fields["trace"],
        "ln det": fields["log_det"],
    }
    print_table(headings)
    return 0


def spectrum(
    aspect_ratio: float = 0.8,
    signal_fraction: float = 0.504621,
    s: str | None = None,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """One-step linear denoiser: density of the singular values of Sigma_G^(1/2) / sigma.

    Below n = d the density is that of the non-zero ones.

    Parameters
    ----------
    aspect_ratio : float
        d / (n - 1)
    signal_fraction : float
        rho2 = 1 / (1 + noise_scale (1 - e^(-2T)) / std^2)
    s : str
        where to evaluate it: start:stop:step or a comma list; over the support when left out
    plot : str
        draw the density into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    low, high = theory.one_step_support(aspect_ratio, signal_fraction)
    # With as many points as dimensions the support has no end.
    top = high if np.isfinite(high) else 10.0
    points = np.linspace(low, top, 21) if s is None else np.array(reals(s, "s"))
    density = theory.one_step_spectrum(points, aspect_ratio, signal_fraction)
    if plot:
        grid = np.linspace(max(0.0, low - 0.05 * top), 1.05 * top, 800)[1:]
        draw_curves(
            plot,
            grid,
            {"density": theory.one_step_spectrum(grid, aspect_ratio, signal_fraction)},
            x_label=r"singular value of $\Sigma_G^{1/2} / \sigma$",
            y_label="density",
        )
    if json:
        inputs = {"aspect_ratio": aspect_ratio, "signal_fraction": signal_fraction}
        print(as_json({**inputs, "support": [low, high], "s": points, "density": density}))
        return 0
    print(
        f"d/(n-1) = {aspect_ratio:g}, rho2 = {signal_fraction:g}: support [{low:.6g}, {high:.6g}]"
    )
    print_table({"s": points, "density": density})
    return 0
