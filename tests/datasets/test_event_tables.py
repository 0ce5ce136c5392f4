"""Tables of events as EMG tools, spike sorters and spreadsheets write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.event_tables import UNIT_COLUMNS, check_rates, padded, read_events
from musim.simulator import InputError

ROWS = ((0.1, 0), (0.2, 1), (0.3, 2), (0.4, 0), (0.5, 1), (0.6, 2))
HEADER = "onset\tduration\ttrial_type\tunit\n"


@pytest.fixture
def table(tmp_path):
    """Write a text, or bytes, as a table; returns its path."""

    def call(text, encoding="utf-8", name="events.tsv"):
        content = text if isinstance(text, bytes) else text.encode(encoding)
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return call


def firings(found):
    """Return the instants of each unit by its name."""
    return {label: row[~np.isnan(row)].tolist()
            for label, row in zip(found.labels, found.firing, strict=True)}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "onset\tduration\ttrial_type\tunit\n0.5\t0\tfiring\t2\n0.25\t0\tfiring\t10\n1.5\t0\tx\t2\n",
        "unit,onset\n2,0.5\n10,0.25\n2,1.5\n",
        "unit;onset\n2;0.5\n10;0.25\n2;1.5\n",
        "\ufeffOnset, MU \r\n 0.5 , 2\r\n0.25,10\r\n\r\n,\r\n1.5,2",
        '"onset","motor_unit"\n"0.5","2"\n"2.5e-1","10"\n"1.5","2"\n',
        "value\tonset\tresponse_time\n2\t1.5\tn/a\n2\t0.5\tn/a\n10\t0.25\tn/a\n",
    ],
)
def test_tables_of_many_dialects_say_the_same(table, text):
    found = read_events(table(text))
    assert found.labels == ["2", "10"]
    assert found.firing.dtype == np.float64
    np.testing.assert_array_equal(found.firing, [[0.5, 1.5], [0.25, np.nan]])
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ("value,trial_type,mu,motor_unit,unit", "e"),
        ("value,trial_type,mu,motor_unit,other", "d"),
        ("value,trial_type,mu,other,another", "c"),
        ("value,trial_type,sample,channel,duration", "b"),
        ("value,hed,sample,channel,duration", "a"),
        ("event_type,hed,sample,channel,duration", "1"),
    ],
)
def test_the_surest_column_names_the_unit(table, columns, wanted):
    assert read_events(table(f"onset,{columns}\n0.5,a,b,c,d,e\n")).labels == [wanted]


@pytest.mark.parametrize("name", [*UNIT_COLUMNS, "Unit ID", "cluster-id", " MU_ID "])
@pytest.mark.parametrize("kind", ["", "trial_type", "event_type", "value"])
def test_every_column_of_units_is_known_with_others_beside_it(table, name, kind):
    more = f"\t{kind}" if kind else ""
    text = f"onset\tduration\tsample\t{name}{more}\n" + "".join(
        f"{onset}\t0\t{int(2048 * onset)}\t{unit}" + ("\tmotor-unit-spike" if kind else "") + "\n"
        for onset, unit in ROWS
    )
    found = read_events(table(text))
    assert firings(found) == {"0": [0.1, 0.4], "1": [0.2, 0.5], "2": [0.3, 0.6]}


def test_a_table_whose_units_stand_in_an_unknown_column_is_refused(table, fails):
    for more in ("", "\ttrial_type"):
        text = f"onset\tduration\tspike_of{more}\n0.1\t0\t1{more and chr(9) + 'spike'}\n"
        with fails(InputError, "onset, duration, spike_of", "unit or unit_id", "rename it"):
            read_events(table(text))


def test_numbers_come_in_their_order_before_names_in_theirs(table):
    rows = "".join(f"0.5,{label}\n" for label in ("b", "10", "²", "9", "a2", "a10", "-1", "٣"))
    found = read_events(table("onset,unit\n" + rows))
    assert found.labels == ["-1", "٣", "9", "10", "a10", "a2", "b", "²"]
    assert found.firing.shape == (8, 1)


def test_whole_numbers_that_became_floats_are_whole(table):
    # As pandas writes them once one is missing.
    rows = "".join(f"{0.05 * k:.2f}\t0\t{float(k)}\n" for k in range(1, 12))
    found = read_events(table("onset\tduration\tunit\n" + rows + "0.9\t0\t1.5\n"))
    assert found.labels == ["1", "1.5", *map(str, range(2, 12))]


def test_rows_of_no_unit_or_instant_are_no_firings(table):
    found = read_events(table(
        HEADER + "0.05\t0.5\tcontraction\tn/a\n0.1\t0\tfiring\t0\n0.2\t0\tfiring\t1\n"
        "0.3\t0\tfiring\t0\n0.9\t0\trest\tn/a\nn/a\tn/a\tfiring\t0\n"
    ))  # fmt: skip
    assert firings(found) == {"0": [0.1, 0.3], "1": [0.2]}
    assert found.remarks == (
        "1 row without an instant left out", "2 rows without a unit left out",
    )  # fmt: skip
    found = read_events(table("onset,unit\n0.1,1\n0.2,\n0.3,1\n"))
    assert firings(found) == {"1": [0.1, 0.3]}
    assert found.remarks == ("1 row without a unit left out",)


@pytest.mark.parametrize("kind", ["n/a", "", "spike"])
def test_codes_stand_in_value_where_the_type_says_nothing(table, kind):
    rows = "".join(
        f"{onset}\t0\t{kind}\t{code}\n" for onset, code in ((0.1, 1), (0.2, 2), (0.3, 1))
    )
    found = read_events(table("onset\tduration\ttrial_type\tvalue\n" + rows))
    assert firings(found) == {"1": [0.1, 0.3], "2": [0.2]}


def test_two_equal_rows_are_one_firing(table):
    found = read_events(table("onset,unit\n0.1,1\n0.1,1\n0.1,2\n0.2,1\n"))
    assert firings(found) == {"1": [0.1, 0.2], "2": [0.1]}
    assert found.remarks == ("1 row equal to another left out",)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfonset\tunit\r\n0.1\t0\r\n0.2\t1\r\n",
        b"onset\tunit\r0.1\t0\r0.2\t1\r",
        "onset\tunit\n0.1\t0\n0.2\t1\n".encode("utf-16"),
        b"\xfe\xff" + "onset\tunit\n0.1\t0\n0.2\t1\n".encode("utf-16-be"),
        b"# exported by hand\n\nonset,unit\n0.1,0\n0.2,1\n",
        b"onset\tunit\n0.1\t0\t\n0.2\t1\t\n",
        b"onset\tunit\t\n0.1\t0\t\n0.2\t1\t\n",
        b'onset\tunit\tnote\n0.1\t0\t"soft\n0.2\t1\tb\n',
        b'"onset"\t"unit"\n"0.1"\t"0"\n"0.2"\t"1"\n',
        b"onset,unit,note (a; b)\n0.1,0,x\n0.2,1,y\n",
        b"onset;unit;note (a, b)\n0,100;0;x\n0,2;1;y\n",
        b"onset;unit\n1,0e-1;0\n0,200;1\n",
    ],
)
def test_what_spreadsheets_make_of_a_table_is_read(table, content):
    assert firings(read_events(table(content))) == {"0": [0.1], "1": [0.2]}


def test_a_table_without_events_has_no_units(table):
    for text in ("onset\tunit\n", HEADER, HEADER + "0.5\t0\trest\tn/a\n"):
        found = read_events(table(text))
        assert found.labels == []
        assert found.firing.shape == (0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["columns (none)", "wanted onset"]),
        ("\n", ["wanted onset"]),
        ("time,unit\n1,2\n", ["columns time, unit", "wanted onset (s)"]),
        ("onset,unit\n0.5,1\n0.5\n", ["line 3", "found 1 cells", "wanted 2"]),
        ("onset,unit\n0.5,1,2\n", ["line 2", "found 3 cells"]),
        ("onset\tunit\n0.5\t1\nsoon\t1\n", ["line 3", "'soon'", "seconds"]),
        ("onset;unit\n1,000,5;1\n", ["line 2", "'1,000,5'", "seconds"]),
        ("# a\n\nonset\ninf\n", ["line 4", "'inf'"]),
        ('onset,unit\n0.5,"1\n0.6,1\n', ["cannot be read", "save it again"]),
        (f'onset,unit\n0.5,"{"1" * 200_000}"\n', ["cannot be read"]),
    ],
)
def test_what_is_no_table_is_refused(table, fails, text, words):
    path = table(text)
    with fails(InputError, str(path), *words):
        read_events(path)


def test_what_cannot_be_read_is_refused(table, tmp_path, fails):
    with fails(InputError, "none.tsv", "FileNotFoundError"):
        read_events(tmp_path / "none.tsv")
    with fails(InputError, str(tmp_path), "IsADirectoryError"):
        read_events(tmp_path)
    with fails(InputError, "events.tsv", "UnicodeDecodeError", "UTF-8"):
        read_events(table(b"onset\tunit\n0.5\t\xff\n"))


@given(st.lists(st.lists(st.floats(allow_nan=False), max_size=5), max_size=5))
def test_padding_keeps_all_instants(instants):
    firing = padded(instants)
    assert firing.shape == (len(instants), max(map(len, instants), default=0))
    assert [row[~np.isnan(row)].tolist() for row in firing] == instants


# Rates that frames cannot tell


def train(rate, count):
    return [0.1 + n / rate for n in range(count)]


def test_a_unit_fires_with_every_second_frame_at_most(refused):
    padded_trains = padded([train(10, 20), train(199, 4), train(200, 4)])
    check_rates("a.tsv", "abc", padded_trains, 400.0)
    with refused("a.tsv: found 199 firings a second of unit b", "no more than 100",
                 "half of the 200 frames a second"):  # fmt: skip
        check_rates("a.tsv", "abc", padded_trains, 200.0)
    with refused("found 1e+09 firings a second of unit a"):
        check_rates("a.tsv", "a", np.array([[0.1] * 5]), 400.0)


def test_a_few_firings_in_haste_are_let_pass():
    # A doublet, and one at the end of a train.
    check_rates("a.tsv", "ab", padded([[0.1, 0.103, 0.106], [*train(10, 9), 0.903]]), 400.0)
