"""Runs any study, and depends on none."""
