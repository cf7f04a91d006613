"""One thread, since these products are small and other tests run beside; seeded inputs."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _seeded_inputs() -> None:
    torch.manual_seed(0)
