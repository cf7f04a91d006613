"""What the page says in words: names of controls, sentences, texts for those who hear it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from tests.explorer.test_page import rounded

from ornstein import theory

if TYPE_CHECKING:
    from tests.explorer.browser import Opened

D, N, T, NOISE, S = 16, 48, 0.7, 0.6, 7
VALUES = 1 / np.arange(1.0, D + 1) / np.mean(1 / np.arange(1.0, D + 1))
STATE = f"d={D}&n=3&T={T}&noise={NOISE}&S={S}&detail=full"

CONTROLS = {
    "ratio_n": "Training set, n", "d": "Dimensions, d", "spectrum": "Spectrum of the data",
    "exponent": "Exponent", "ratio": "Large over small variance", "share": "Share of large ones",
    "list": "Variances", "T": "Diffusion time, T", "noise": "Noise scale",
    "S": "Sampling steps, S", "sampler": "Sampler", "grid": "Noise levels",
    "schedule": "Noise schedule",
}  # fmt: skip
CHOICES = {
    "spectrum": {
        "power-law": "power law", "isotropic": "all equal (isotropic)",
        "two-level": "two levels", "list": "a list of your own",
    },
    "sampler": {
        "ddpm:large": "DDPM, large variance", "ddpm": "DDPM, small variance", "ddim": "DDIM",
        "euler": "Euler (ODE)", "heun": "Heun (ODE)",
    },
    "grid": {"tangent": "tangent law, for this spectrum", "karras": "Karras, rho = 7"},
    "schedule": {
        "linear": "linear betas", "scaled_linear": "scaled linear betas", "cosine": "cosine",
        "karras": "Karras, rho = 7",
    },
}  # fmt: skip


def test_controls_are_called_what_they_change(page: Opened) -> None:
    shown = page.go("d=4&detail=full")
    labels = shown.eval_on_selector_all(
        "#controls label", "all => all.map(e => [e.htmlFor, e.textContent])"
    )
    assert {name.removeprefix("input-"): text for name, text in labels} == CONTROLS
    typed = shown.eval_on_selector_all(
        "#controls input[type=number]", "all => all.map(e => [e.id, e.ariaLabel])"
    )
    for name, label in typed:
        assert label == f"{CONTROLS[name.removeprefix('field-')]}, typed"
    for name, words in CHOICES.items():
        options = shown.eval_on_selector_all(
            f"#input-{name} option", "all => all.map(e => [e.value, e.textContent])"
        )
        assert dict(options) == words
    # Those that count for this state, and no others.
    visible = {name for name in CONTROLS if shown.is_visible(f"#control-{name}")}
    assert visible == set(CONTROLS) - {"ratio", "share", "list", "grid"}
    page.go("d=4&detail=full&sampler=heun&spectrum=two-level")
    visible = {name for name in CONTROLS if shown.is_visible(f"#control-{name}")}
    assert visible == set(CONTROLS) - {"exponent", "list", "schedule"}
    page.go("d=4")
    visible = {name for name in CONTROLS if shown.is_visible(f"#control-{name}")}
    assert visible == {"ratio_n", "d", "spectrum", "exponent"}


def test_sentences_and_what_is_heard_of_charts(page: Opened) -> None:
    shown = page.go(STATE)
    law = theory.one_step_anisotropic(VALUES, N, T, NOISE)
    kl, limit = float(law.kl), float(law.kl_infinite_data)
    threshold = rounded(float(law.threshold), 4)

    def said(panel: str, part: str = "said") -> str:
        return " ".join(shown.inner_text(f"#panel-{panel} .{part}").split())

    w2, h2 = rounded(float(law.wasserstein_squared)), f"{float(law.hellinger_squared):.3f}"
    assert said("distances") == (
        f"At n = {N} KL is {rounded(kl)} nats, {rounded(kl / limit, 2)} times the "
        f"{rounded(limit)} that stay with infinite data, for one denoising step is never perfect; "
        f"W\u2082\u00b2 is {w2}, H\u00b2 is {h2}. Below n* = {threshold} the denoiser squeezes "
        "some directions to nothing. Drag in a chart to change n."
    )
    assert f"= {threshold}: below" in said("distances", "formula")
    heard = dict(
        shown.eval_on_selector_all(
            ".drawing",
            "all => all.map(e => [e.querySelector('clipPath').id.slice(5), e.ariaLabel])",
        )
    )
    for name, text in (("kl", rounded(kl)), ("wasserstein_squared", w2), ("hellinger_squared", h2)):
        assert f"At n = {N} theory says {text}." in heard[f"distances-{name}"]
    assert heard["distances-kl"].startswith("KL divergence, nats against n over d")
    how = ("ddpm:large", "linear")
    best = theory.best_steps(VALUES, N, *how)
    here, karras = (
        rounded(float(theory.sampler_quality(VALUES, S, "ddpm:large", name, n_train=N).kl))
        for name in ("linear", "karras")
    )
    assert said("steps") == (
        f"In S = {S} steps KL is {here} nats, {karras} on Karras' grid; infinitely many leave "
        f"{rounded(best.kl_limit)}, which is what n = 3.0 d costs. Best are S* = {best.steps:.0f} "
        "steps: the variance that they add makes up for what few points miss."
    )
    assert (
        f"At S = {S} it is {here} nats, with infinitely many {rounded(best.kl_limit)}."
        in (heard["steps"])
    )
    noise, auc = theory.most_revealing_noise(VALUES, N)
    enough = rounded(theory.points_for_auc(VALUES, noise, 0.55), 4)
    assert said("membership") == (
        f"Asked at noise variance {rounded(noise)}, the best linear denoiser of these {N} points "
        "gives them away: of a training point and a fresh one, the attack tells which is which in "
        f"{100 * auc:.1f}% of pairs. From n = {enough} on it is at most 55% there."
    )
    assert f"largest, {auc:.4f}, at {rounded(noise)}." in heard["membership"]
    assert said("samples") == (
        f"What is generated has {rounded(float(law.trace))} times the variance of fresh data, "
        "expected over training sets."
    )
    ends = re.findall(r"\d+\.\d+", heard["spectrum"])[:2]
    assert f"from {ends[0]} to {ends[1]} in theory" in heard["spectrum"]
    edges = theory.one_step_anisotropic_support(VALUES, N, T, NOISE)
    np.testing.assert_allclose([float(x) for x in ends], [edges[0, 0], edges[-1, 1]], rtol=0.01)
    page.go(f"d={D}&n=0.5")
    assert "It lacks 9 of the 16 patterns" in said("samples")
    assert said("spectrum").startswith("9 of 16 directions are not generated at all. Along the 7")
    assert said("steps").startswith("With n \u2264 d the fitted covariance is singular")
    assert "what the 8 points do not tell" in said("steps")


def test_old_bars_fade_until_the_draw_is_of_what_is_shown(page: Opened) -> None:
    shown = page.go(STATE)
    shown.wait_for_selector("#panel-spectrum .bars:not(.fade) rect", state="attached")
    faded = shown.evaluate(
        """async () => {
          const slider = document.getElementById("input-ratio_n");
          slider.value = Number(slider.value) + 1;
          slider.dispatchEvent(new Event("input", {bubbles: true}));
          for (let k = 0; k < 200; k++) {
            await new Promise(requestAnimationFrame);
            if (document.querySelector("#panel-spectrum .bars.fade")) return true;
          }
          return false;
        }"""
    )
    assert faded
    shown.wait_for_selector("#panel-spectrum .bars:not(.fade) rect", state="attached")
