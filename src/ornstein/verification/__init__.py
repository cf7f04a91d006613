r"""Every result of docs/theory.md against a simulation that knows no theory.

=======================  =======================================================  =========
module                   what is simulated                                        section
=======================  =======================================================  =========
checks.py                what a check is, and when it fails
running.py               replicates, their seeds, workers
registry.py              all checks
own_checks.py            checks that a user wrote
one_step.py              the one-step denoiser fitted on n points                 1.1, 1.2
one_step_spectrum.py     ... the singular values of what it generates             1.3, 1.4
gaussian_distances.py    Monte Carlo integrals of two Gaussian densities          2
kernel_terms.py          kernel sums over originals                               3
samplers.py              draws carried through DDPM, DDIM, Heun                   4
wishart.py               empirical covariances                                    5
denoising.py             linear denoisers of n points                             6
sample_covariance.py     eigenvalues of sample covariances                        6
consistency.py           pairs of models of disjoint halves                       7
training.py              gradient descent, the probability-flow ODE               8
early_stopping.py        ... on n points, stopped                                 8
regimes.py               backward trajectories, posterior weights                 9
memorizing.py            samples of the memorizing denoiser                       9
random_features.py       ridge regression on random features                      10
=======================  =======================================================  =========

In the modules of the sections, ``simulate_*`` functions use NumPy, the denoisers and the distances
of this package, and nothing of :mod:`ornstein.theory`; ``predict_*`` functions are closed forms.
"""

from __future__ import annotations
