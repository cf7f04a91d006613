"""Closed-form results of the field, one file per family; pure functions of numbers and arrays."""
