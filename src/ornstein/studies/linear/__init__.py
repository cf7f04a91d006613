"""The one-step denoiser by Monte Carlo, with the theory beside it."""
