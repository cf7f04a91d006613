"""What all tests share: examples of hypothesis take as long as a busy machine needs."""

from hypothesis import settings

settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")
