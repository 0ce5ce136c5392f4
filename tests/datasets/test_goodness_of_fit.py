"""Closed forms of p-values are SciPy's."""

import numpy as np
import pytest
import scipy.special

from musim.datasets.goodness_of_fit import chi_square, kolmogorov


@pytest.mark.parametrize("distance", [0.0, 0.05, 0.0999, 0.1, 0.3, 0.999, 1.0, 1.001, 1.7, 5, 40])
def test_kolmogorovs_chance_is_scipys(distance):
    wanted = scipy.special.kolmogorov(distance)
    np.testing.assert_allclose(kolmogorov(distance), wanted, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 25, 100, 401])
@pytest.mark.parametrize("statistic", [0.0, 1e-9, 0.3, 5.0, 26.0, 410.0, 4000.0])
def test_the_chance_of_chi_squared_is_scipys(freedom, statistic):
    wanted = scipy.special.chdtrc(freedom, statistic)
    np.testing.assert_allclose(chi_square(statistic, freedom), wanted, rtol=1e-11, atol=1e-300)
