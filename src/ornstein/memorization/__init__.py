"""Whether a generative model has copied its training set."""
