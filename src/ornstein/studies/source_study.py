"""What studies share whose training sets come from a population or from a data set."""

from __future__ import annotations

__all__ = ["SourceStudy", "choose_population"]

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ornstein.data.reading_options import settings_of
from ornstein.engine.study import Study

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.data.sources import Source


def choose_population(options: Any, defaults: Mapping[str, Any]) -> None:
    """Fill in what options do not say of the population, or refuse with data what they say of it.

    Parameters
    ----------
    options : a frozen dataclass with the field `data`
    defaults : mapping of str to Any
        Options that have no effect with data, and their defaults.

    Raises
    ------
    ValueError
        If one of them is given beside `data`.
    """
    for name, default in defaults.items():
        given = getattr(options, name)
        if options.data is None and given is None:
            object.__setattr__(options, name, default)
        if options.data is not None and given is not None:
            raise ValueError(
                f"{name} and data are both given: {name} is of a population and would have no "
                "effect, leave it out"
            )


class SourceStudy(Study):
    """Base of studies with a `source`; options of a population count only where it is one."""

    of_populations: ClassVar[Mapping[str, Any]]
    """Options that have no effect with data, and their defaults."""

    @cached_property
    def source(self) -> Source:
        """The population, or the data set."""
        return self.read_source()

    @abstractmethod
    def read_source(self) -> Source:
        """Make the population, or read the data set."""

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.source.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return self.source.std

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in, without those that have no effect."""
        return self._effective_options()

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell."""
        identity = {"study": self.name, **self._effective_options()}
        del identity["train_sizes"], identity["simulations"]
        return identity | self.source.identity()

    def require_points(self) -> None:
        """Raise ValueError if the source has too few points for the training sizes."""
        largest, most = max(self.train_sizes), self.source.largest_train_size
        if largest > most:
            raise ValueError(
                f"a training set of {largest} from the {int(most) + 2} points of "
                f"{self.source.name}: expected at most {int(most)}, so that originals are left"
            )

    def __getstate__(self) -> dict[str, Any]:
        """The fields; and the source, where it is sent."""
        return super().__getstate__() | ({"source": self.source} if self.source.is_sent else {})

    def _effective_options(self) -> dict[str, Any]:
        options = settings_of(self.options)
        if self.source.digest is not None:
            for name in self.of_populations:
                del options[name]
            if not isinstance(options["data"], str):  # an array or a data frame, from Python
                options["data"] = f"{self.source.name}, in memory"
        return options
