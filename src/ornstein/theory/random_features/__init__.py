"""Random-feature scores: learning curves, and what of an activation they see."""
