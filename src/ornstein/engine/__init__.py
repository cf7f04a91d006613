"""Runs any study, and knows none."""
