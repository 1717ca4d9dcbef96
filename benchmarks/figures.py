"""What several rounds amount to: a median with its range, and how two of them compare."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, one value per round."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, decimals: int) -> str:
        """Return "median (least-most)", or one number if all rounds show the same."""
        return _text(self.median, min(self.values), max(self.values), decimals=decimals)


def paired(of: Sequence[float], by: Sequence[float]) -> str:
    """Divide what was measured in the same round; return the median of the ratios.

    With the range of the middle half of them: a machine that does something else for a moment
    disturbs single turns.
    """
    rounds = [a / b for a, b in zip(of, by, strict=True)]
    if len(rounds) < 2:
        return f"{rounds[0]:.2f}"
    low, middle, high = statistics.quantiles(rounds, n=4, method="inclusive")
    return _text(middle, low, high, decimals=2)


def _text(*numbers: float, decimals: int) -> str:
    median, least, most = (f"{number:,.{decimals}f}" for number in numbers)
    return median if least == most else f"{median} ({least}-{most})"
