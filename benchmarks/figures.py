"""What several rounds amount to: a median with its range, and how two of them compare."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

NO_DIFFERENCE = "no difference"


@dataclass(frozen=True)
class Figure:
    """What was measured, one value per round."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def range(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def text(self, decimals: int) -> str:
        """Return "median (least-most)", or one number if all rounds show the same."""
        return _text(self.median, *self.range, decimals=decimals)


def ratio(ours: Figure, theirs: Figure) -> str:
    """Return `paired_ratio`, or NO_DIFFERENCE if the ranges of the two figures overlap."""
    if ours.range[0] <= theirs.range[1] and theirs.range[0] <= ours.range[1]:
        return NO_DIFFERENCE
    return paired_ratio(ours, theirs)


def paired_ratio(ours: Figure, theirs: Figure) -> str:
    """Return the ratio of the medians, with the range of the ratios of each round.

    The ratio of the medians agrees with the medians that stand beside it, and always lies
    within that range.
    """
    rounds = [a / b for a, b in zip(ours.values, theirs.values, strict=True)]
    of_medians = ours.median / theirs.median
    decimals = 3 if of_medians < 0.1 else 2
    return _text(of_medians, min(rounds), max(rounds), decimals=decimals)


def _text(*numbers: float, decimals: int) -> str:
    median, least, most = (f"{number:,.{decimals}f}" for number in numbers)
    return median if least == most else f"{median} ({least}-{most})"
