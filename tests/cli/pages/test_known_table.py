"""The table of known firings: which unit found fires as each of them."""

import re

import numpy as np
import pytest

from musim.cli.pages.known_table import known_table
from musim.cli.pages.sources import KnownTrain
from tests.cli.pages.small import findings, unit

ONE = np.array([0.05, 0.15, 0.26, 0.36, 0.45, 0.56, 0.66, 0.77, 0.85, 0.96])
OTHER = np.array([0.02, 0.11, 0.18, 0.29, 0.41, 0.49, 0.61, 0.69, 0.8, 0.92])


def rows(table):
    """Return the texts of the cells of each row."""
    body = table[table.index("<tbody>") :]
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr.*?</tr>", body)
    ]


def test_each_known_train_has_the_unit_that_fires_as_it_does():
    known = (
        KnownTrain(0, "MU 7", OTHER),
        KnownTrain(1, "<b>", ONE),
        KnownTrain(2, "rare", ONE[:2]),
    )
    late = np.delete(ONE + 0.01, 4)
    table = known_table(findings([unit(3, late), unit(5, [0.5])], known=known))
    first, second, third = rows(table)
    # Nine of ten firings, ten milliseconds late.
    assert second[:9] == ["k1", "&lt;b&gt;", "10", "9.9", "3", "10", "9", "1", "0"]
    assert second[9] == "0.90"
    assert 0 < float(second[10]) < 0.5
    assert second[11] == f"{8 / (late[-1] - late[0]):.1f}"
    assert first[:5] == ["k0", "MU 7", "10", "10.0", "–"]
    assert set(first[5:]) == {"–"}
    assert third[:5] == ["k2", "rare", "2", "10.0", "–"]
    assert 'data-key="k1"' in table


@pytest.mark.parametrize("known", [(), (KnownTrain(0, "a", ONE[:3]),)])
def test_known_firings_that_tell_nothing_have_no_table(known):
    assert known_table(findings([unit(0, ONE)], known=known)) is None


def test_where_nothing_was_found_none_of_the_known_is():
    ((*_, unit_found, lag, matched, missed, false, agreement, wrong, rate, variation),) = rows(
        known_table(findings([], known=(KnownTrain(0, "a", ONE),)))
    )
    assert {unit_found, lag, matched, missed, false, agreement, wrong, rate, variation} == {"–"}
