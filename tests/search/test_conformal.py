"""Error bands: quantiles of what was left over, by group; never without the prediction itself."""

import math

import numpy as np
import pytest

from infra_advisor.search.conformal import band, combined, wider


def test_a_band_holds_the_middle_nine_tenths() -> None:
    """101 residuals, evenly from -0.5 to 0.5, ten groups of about the same size: the 5 % and 95 % points are -0.45 and +0.45."""
    residuals = np.linspace(-0.5, 0.5, 101)
    found = band(residuals, [str(place % 10) for place in range(101)])
    assert found is not None
    assert found[0] == pytest.approx(math.exp(-0.45), abs=0.01)
    assert found[1] == pytest.approx(math.exp(0.45), abs=0.015)


def test_a_band_contains_the_prediction_even_where_all_residuals_lie_on_one_side() -> None:
    found = band(np.full(60, 0.3), [str(place % 6) for place in range(60)])
    assert found is not None
    assert found[0] == 1.0
    assert found[1] == pytest.approx(math.exp(0.3))


@pytest.mark.parametrize(("count", "groups"), [(29, 5), (500, 2), (0, 0)])
def test_too_few_residuals_or_groups_make_no_band(count: int, groups: int) -> None:
    assert band(np.zeros(count), [str(place % max(groups, 1)) for place in range(count)]) is None


def test_rows_that_were_not_predicted_do_not_count() -> None:
    residuals = np.concatenate([np.full(20, np.nan), np.linspace(-0.1, 0.1, 29)])
    assert band(residuals, [str(place) for place in range(49)]) is None


def test_one_large_group_does_not_decide_alone() -> None:
    """400 rows of one sweep at +1, four other groups of 10 around 0: weights 400^-1/2 x 400 = 20 against 4 x 10^1/2 = 12.6, so the lower
    end stays at the small groups although they are 9 % of the rows."""
    residuals = np.concatenate([np.full(400, 1.0), np.full(40, -0.2)])
    groups = ["sweep"] * 400 + [str(place % 4) for place in range(40)]
    found = band(residuals, groups)
    assert found is not None
    assert found[0] == pytest.approx(math.exp(-0.2), rel=0.05)


def test_wider_and_combined() -> None:
    """Independent errors of 1.2 and 1.3 at once: exp(sqrt(ln(1.2)^2 + ln(1.3)^2)) = 1.3788."""
    assert wider((0.8, 1.1), (0.9, 1.4)) == (0.8, 1.4)
    low, high = combined((1 / 1.2, 1.2), (1 / 1.3, 1.3))
    assert high == pytest.approx(math.exp(math.hypot(math.log(1.2), math.log(1.3))))
    assert low == pytest.approx(1 / high)
