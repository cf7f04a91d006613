"""Halder's one-step model, at every number of training points."""
