"""The library names its arguments, the command line its options: of the same things."""

import pytest

from musim.cli.main import main
from musim.cli.main import musim as group
from musim.cli.wording import as_options
from musim.simulator.errors import FailureError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("add `resume=True` to continue", "add --resume to continue"),
        ("fewer `workers`, `part_size` 1", "fewer --workers, --part-size 1"),
        ('use `accelerator="cpu"`.', "use --accelerator cpu."),
        ("begin with `batch_size=12`", "begin with --batch-size 12"),
        ('`kind="rendered"` or `kind="dense"`', "--render on-read or --kind dense"),
        ("(`chain.frame_rate`, `chain.size`)", "(--resample, --size)"),
        ("fewer with `settings.frames`", "fewer with --set frames=..."),
        ("name `simulated` or `b`", "name --a or --b"),
        ("a `b c` file, `A`, ``resume``, 5`", "a `b c` file, `A`, ``resume``, 5`"),
    ],
)
def test_arguments_become_options(text, wanted):
    assert as_options(text) == wanted


def test_errors_of_the_library_are_reported_with_options(monkeypatch, capsys):
    def fail(**_):
        raise FailureError("store: found none; add `resume=True`")

    monkeypatch.setattr(group, "main", fail)
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "Error: store: found none; add --resume\n"
