"""What commands say of what was found."""

import math

from musim.cli.outcomes import remarks_of, short
from musim.training.identification.frame_faults import Span
from musim.training.identification.remarks import REMARKS
from musim.training.identification.stored import Outcome


def test_short():
    assert short(Outcome(1, math.nan, ())) == "1 unit"
    assert (
        short(Outcome(0, 0.0, ()))
        == "0 units, 0 % of the velocity's energy above noise explained, "
        "1.00 of the motion left unexplained"
    )
    assert (
        short(Outcome(7, 0.634, ()))
        == "7 units, 63 % of the velocity's energy above noise explained, "
        "0.37 of the motion left unexplained"
    )
    faults = (Span("lost", 100, 159), Span("spoilt", 7, 7))
    assert short(Outcome(2, 0.5, (), faults)) == (
        "2 units, 50 % of the velocity's energy above noise explained, "
        "0.50 of the motion left unexplained; "
        "60 frames lost (100-159), 1 frame spoilt (7)"
    )
    assert short(Outcome(3, 0.997, ())).endswith(", less than 0.01 of the motion left unexplained")
    assert short(Outcome(3, 1.0, ())).endswith(", 0.00 of the motion left unexplained")


def test_each_remark_is_said_once_with_the_sequences():
    slow, no = "slow-motion-removed", "no-motion"
    outcomes = [Outcome(1, 0.5, (no,) if n % 2 else (slow, no)) for n in range(7)]
    lines = remarks_of(outcomes)
    assert [line.split(": ")[0] for line in lines] == [
        "slow motion removed (sequences 0, 2, 4, 6)",
        "no motion (sequences 0, 1, 2, 3, 4 and 2 more)",
    ]
    for line, name in zip(lines, (slow, no), strict=True):
        assert line.endswith(f"{REMARKS[name].sentence} {REMARKS[name].advice}")
    assert remarks_of(outcomes[:1])[1].startswith("no motion: ")
    assert remarks_of([*outcomes[:1], Outcome(2, 1.0, ())])[0].startswith(
        "slow motion removed (sequence 0): "
    )
    assert remarks_of([Outcome(2, 1.0, ())] * 3) == []
