"""Denoisers whose generated law is known exactly, as scikit-learn estimators."""
