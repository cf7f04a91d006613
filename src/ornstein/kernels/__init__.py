"""Kernel distances between points and laws, in logarithms."""
