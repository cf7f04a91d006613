"""The noising process: its clocks, noise levels, samplers, and their exact effect on a Gaussian."""
