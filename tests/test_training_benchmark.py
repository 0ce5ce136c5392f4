"""Steps of training that `python -m benchmarks.training` measures and compares."""

import time
from types import SimpleNamespace

import pytest
import torch

pytestmark = pytest.mark.torch
training = pytest.importorskip("benchmarks.training")


@pytest.fixture
def printed(monkeypatch, capsys):
    """What the command prints of a small step of the twitch estimator on the CPU."""
    monkeypatch.setattr(training, "LONG", 1e-4)
    # Compiling takes a minute.
    monkeypatch.delitem(training.AGAINST, training.COMPILED)
    argv = ["training", "twitch", "--endless", "--units", "3", "--accelerator", "cpu", "--steps",
            "1", "--set", "batch_size=2", "--set", "sequences=1"]  # fmt: skip
    monkeypatch.setattr("sys.argv", argv)
    training.main()
    return capsys.readouterr().out


def test_rows_say_against_what(printed):
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    found = {row[0]: row[1:] for row in rows if row}
    assert found["step with"][0] == "against"
    for what, against in (("channels-last memory", "contiguous"),
                          ("fused optimisers", "torch's usual")):  # fmt: skip
        assert found[what][0] == against
        assert float(found[what][1].split()[0]) > 0
    limit = next(row for row in found if row.startswith("of what matrix products in float32 reach"))
    assert float(found[limit][0].rstrip("%")) > 0


@pytest.mark.parametrize("memory_format", ["channels-last", "contiguous"])
def test_ratios_are_of_channels_last_whichever_is_usual(memory_format, monkeypatch):
    settings = training.settings_for(training.TASKS["twitch"], "", {"memory_format": memory_format})

    class Sleeper:
        """Stands in for a task whose steps take longer where maps are contiguous."""

        def __init__(self, task, device=None, change=""):
            self.task, self.number, self.device = task, 0, device

        def step(self, batch):
            time.sleep(0.004 if self.task.settings.memory_format == "contiguous" else 0.002)
            self.number += 1

    monkeypatch.setattr(training, "Stepper", Sleeper)
    made = lambda settings: SimpleNamespace(settings=settings)  # noqa: E731
    row = training.compared(
        made, Sleeper(made(settings), torch.device("cpu")), [None] * training.KEPT,
        training.LAST, 5,
    )  # fmt: skip
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:2] == ["channels-last memory", "contiguous"]
    assert float(cells[2].split()[0]) > 1.2
