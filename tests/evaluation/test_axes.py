import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.evaluation.axes import accuracy_axis, axis_from_zero, linear_axis, positive_axis
from mnistry.evaluation.curves import Curve, LineChart

finite = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_linear_ticks_are_round_few_and_hold_all_values(values: list[float]) -> None:
    low, high = min(values), max(values)
    axis = linear_axis(values)
    assert 3 <= len(axis.ticks) <= 8
    assert all(-1e-6 <= axis.at(value) <= 1 + 1e-6 for value in values)
    step = axis.ticks[1][0] - axis.ticks[0][0]
    slack = 1e-6 * step
    assert axis.low <= low + slack
    assert axis.high >= high - slack
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-6)
    assert min(abs(mantissa - round_) for round_ in (1, 2, 5)) < 1e-3
    assert len({label for _, label in axis.ticks}) == len(axis.ticks)


@settings(deadline=None)
@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20))
def test_positive_axis_is_monotonic_and_inside(values: list[float]) -> None:
    axis = positive_axis(values)
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 1
    assert 2 <= len(axis.ticks) <= 8


def test_a_log_scale_gives_each_power_of_ten_the_same_room() -> None:
    axis = positive_axis([0.01, 10])
    assert axis.note == "log scale"
    assert [label for _, label in axis.ticks] == ["0.01", "0.1", "1", "10"]
    assert axis.at(1) - axis.at(0.1) == pytest.approx(axis.at(0.1) - axis.at(0.01))
    assert positive_axis([1, 9]).note == positive_axis([0, 9]).note == ""


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_accuracy_axis_is_monotonic_and_inside(values: list[float]) -> None:
    axis = accuracy_axis(values)
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 1
    assert axis.ticks
    assert all(0 <= axis.at(value) <= 1 for value, _ in axis.ticks)


def test_accuracies_near_100_percent_are_apart() -> None:
    axis = accuracy_axis([0.9, 0.99, 0.999])
    assert axis.at(0.999) - axis.at(0.99) == pytest.approx(axis.at(0.99) - axis.at(0.9), rel=0.01)
    assert [label for _, label in accuracy_axis([0.911, 0.915]).ticks] == [
        "91.1%",
        "91.2%",
        "91.3%",
        "91.4%",
        "91.5%",
    ]


def test_accuracies_stay_between_0_and_100_percent() -> None:
    for values in ([0.0], [1.0], [0.0, 0.01], [0.99, 1.0], [0.999, 1.0]):
        axis = accuracy_axis(values)
        assert 0 <= axis.low < axis.high <= 1


def test_speed_starts_at_zero() -> None:
    assert axis_from_zero([900.0, 1000.0]).low == 0


def corners(chart: LineChart) -> list[tuple[float, float]]:
    (line,) = chart.lines
    return [(chart.grid.x(x), chart.grid.y(y)) for x, y in line.corners]


def test_a_curve_is_drawn_where_its_values_are() -> None:
    points = [(0.0, 0.0), (50.0, 10.0), (100.0, 5.0)]
    chart = LineChart("Speed", [Curve("images", points, "main")], axis_from_zero, ".0f")
    assert corners(chart) == [(52, 226), (239, 12), (426, 119)]
    tips, lefts, rights, centres = zip(*chart.strips(), strict=True)
    assert tips == ("step 0\nimages 0", "step 50\nimages 10", "step 100\nimages 5")
    assert (lefts, rights, centres) == ((52, 145.5, 332.5), (145.5, 332.5, 426), (52, 239, 426))


def test_a_long_curve_is_thinned_but_keeps_its_peaks() -> None:
    points = [(float(step), 1.0) for step in range(50_000)]
    points[31_415] = (31_415.0, 9.0)
    drawn = corners(LineChart("Speed", [Curve("", points, "main")], axis_from_zero, ".0f"))
    assert len(drawn) <= 400
    assert min(y for _, y in drawn) < 40 < max(y for _, y in drawn)
    assert drawn == sorted(drawn, key=lambda corner: corner[0])
