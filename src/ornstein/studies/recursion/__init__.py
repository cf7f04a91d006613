"""Models trained on their own samples, generation after generation."""
