"""Hypothesis in all tests: a limit on the time of an example fails wherever a machine is busy."""

from hypothesis import settings

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
