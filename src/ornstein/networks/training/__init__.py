"""Training: one network with Lightning, or many at once."""
