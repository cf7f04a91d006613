"""The best linear denoiser of n points: losses, sampling, training."""
