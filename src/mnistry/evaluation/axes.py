"""Scales of charts, with ticks at values that a reader would choose."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A scale: where a value lies between both ends, and which values are marked."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    transform: Callable[[float], float] = float
    note: str = ""

    def at(self, value: float) -> float:
        """0 at the lower end, 1 at the upper; values outside are drawn at the nearest end."""
        low, high = self.transform(self.low), self.transform(self.high)
        return (self.transform(min(max(value, self.low), self.high)) - low) / (high - low)


def linear_axis(values: Sequence[float], style: str = "") -> Axis:
    """Ends and ticks at round numbers, 1, 2 or 5 times a power of ten apart.

    Args:
        values: what has to fit.
        style: how a tick is written, as `format` takes it; as many decimals as needed if empty.

    Examples:
        >>> axis = linear_axis([0.13, 0.86])
        >>> [label for _, label in axis.ticks], axis.at(0.5)
        (['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'], 0.5)
    """
    low, high = min(values), max(values)
    if high - low <= 1e-8 * max(abs(low), abs(high)):
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= (high - low) / 5 * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    style = style or f",.{max(0, -math.floor(math.log10(step) + 1e-9))}f"
    ticks = [(i * step, format(i * step, style)) for i in range(first, last + 1)]
    return Axis(ticks[0][0], ticks[-1][0], ticks)


def axis_from_zero(values: Sequence[float]) -> Axis:
    """A linear scale that starts at 0, so that noise looks as small as it is."""
    return linear_axis([0.0, *values])


def positive_axis(values: Sequence[float]) -> Axis:
    """A log scale where the values span more than one power of ten, else a linear one."""
    low, high = min(values), max(values)
    if low <= 0 or high / low < 10:
        return linear_axis(values)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [factor * 10.0**e for e in exponents for factor in (1, 2, 5)]
    marks = [value for value in fine if low <= value <= high]
    if len(marks) > 7:
        powers = [10.0**e for e in exponents if low <= 10.0**e <= high]
        marks = powers[:: math.ceil(len(powers) / 7)]
    ticks = [(value, f"{value:g}") for value in marks]
    return Axis(low / 1.1, high * 1.1, ticks, math.log10, "log scale")


def accuracy_axis(values: Sequence[float]) -> Axis:
    """A log scale of the error where it falls to less than a third, so that 99 % and 99.5 % are apart.

    Examples:
        >>> axis = accuracy_axis([0.5, 0.95, 0.996])
        >>> [label for _, label in axis.ticks]
        ['50%', '80%', '90%', '95%', '98%', '99%', '99.5%']
    """
    smallest = 1e-4  # 100 % would be infinitely far up
    low, high = min(values), min(max(values), 1 - smallest)
    if 1 - low < 3 * (1 - high):
        axis = linear_axis([100 * value for value in values])
        inside = [(value / 100, f"{label}%") for value, label in axis.ticks if 0 <= value <= 100]
        return Axis(max(axis.low / 100, 0.0), min(axis.high / 100, 1.0), inside)
    round_values = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
    ticks = [(value, f"{100 * value:g}%") for value in round_values if low <= value <= high]
    return Axis(
        1 - min(1, 1.1 * (1 - low)),
        1 - (1 - high) / 1.1,
        ticks,
        lambda value: -math.log10(max(1 - value, smallest / 1.1)),
        "log scale of the error",
    )
