"""What holds for all tests."""

import gc

from hypothesis import settings

# A limit on the time of an example fails wherever a machine is busy.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

# What is loaded until the tests begin stays: looking for garbage in it again and again, and in
# what figures leave behind, took a sixth of the time of all tests.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what is new, and among older objects seldom."""
    gc.freeze()
    gc.set_threshold(20_000, 100, 5)
    gc.enable()
