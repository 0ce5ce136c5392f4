import shutil

import numpy as np
import pytest
import xarray

from musim.datasets.origin import SimulatedTrials
from musim.datasets.store import check_velocity, open_sequences, open_store
from musim.datasets.verification import verify
from musim.datasets.videos.generation import TrialGeneration, generate_trials, plan_trials
from musim.datasets.videos.trials import trials_of
from musim.simulator.calf.parameters import draw_participant
from musim.simulator.calf.scene import prepare_scene
from musim.simulator.calf.tasks import TASKS
from musim.simulator.calf.trial import run_trial
from musim.simulator.errors import FailureError


def test_a_store_holds_what_trials_give(rendered, study):
    assert len(rendered) == 4
    assert rendered.is_video
    assert not rendered.is_section
    assert rendered.seed == 5
    origin = open_store(rendered.location).origin
    assert isinstance(origin, SimulatedTrials)
    assert origin.study == study
    for index, task in enumerate(TASKS):
        participant = draw_participant(study.calf, study.section, 5, 0)
        trial = run_trial(participant, task, study.protocol)
        assert rendered.read("participant", index) == 0
        assert rendered.read("task", index) == index
        assert rendered.read("frame_count", index) == 30
        np.testing.assert_array_equal(rendered.read("mode_course", index), trial.courses)
        for name in ("emg", "torque", "angle", "active_torque", "shown"):
            np.testing.assert_array_equal(rendered.read(name, index), getattr(trial, name))
        np.testing.assert_array_equal(rendered.read("pennation_course", index), trial.pennation)
    assert rendered.read("participant", 3) == 1


def test_written_images_are_those_that_are_rendered(rendered, written):
    for index in range(4):
        np.testing.assert_array_equal(written.bmode(index), rendered.bmode(index))
        for name in rendered.layout.variables:
            np.testing.assert_array_equal(written.read(name, index), rendered.read(name, index))


@pytest.mark.parametrize("name", ["rendered", "written"])
def test_a_window_is_that_of_the_whole(name, request):
    store = request.getfixturevalue(name)
    whole = store.bmode(2)
    assert whole.shape == (30, 24, 48)
    window = store.bmode(2, time=slice(7, 12), depth=slice(3, 20), width=slice(10, 11))
    np.testing.assert_array_equal(window, whole[7:12, 3:20, 10:11])
    np.testing.assert_array_equal(store.dataset.bmode[2].values, whole)
    assert store.dataset.bmode.dtype == np.uint8
    np.testing.assert_array_equal(store[2].bmode[5], whole[5])


def test_images_are_written_chunk_by_chunk(rendered, study, monkeypatch):
    layout = plan_trials(study, sequences=1, seed=5, written=True)
    monkeypatch.setattr(type(layout), "frames_of_chunk", property(lambda self: 7))
    blocks = list(TrialGeneration(layout=layout).frames(0))
    assert [len(block) for block in blocks] == [7, 7, 7, 7, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), rendered.bmode(0))


def test_any_reader_of_zarr_opens_it(written):
    dataset = xarray.open_zarr(written.location.address)
    assert dataset.bmode.dims == ("sequence", "time", "depth", "width")
    assert dataset.torque.dims == ("sequence", "sample")
    np.testing.assert_allclose(dataset.sample, np.arange(1200) / 1000)
    np.testing.assert_allclose(dataset.time, np.arange(30) / 25)
    assert dataset.attrs["musim_sample_rate"] == 1000


def test_states_are_those_at_the_instants_of_images(rendered):
    trials = trials_of(rendered)
    assert [trial.name for trial in trials] == [
        "00-isometric", "00-passive", "00-combined", "01-isometric",
    ]  # fmt: skip
    trial = trials[2]
    assert (trial.participant, trial.task, trial.frames, trial.frame_rate) == (
        0,
        "combined",
        30,
        25,
    )
    data = rendered.dataset.isel(sequence=2)
    for place, name in enumerate(("emg_amplitude", "torque", "angle")):
        at_frames = data[name].sel(sample=data.time, method="nearest")
        np.testing.assert_array_equal(trial.states()[:, place], at_frames)
    np.testing.assert_array_equal(trial.images(4, 6), rendered.bmode(2)[4:6])
    assert len(trial.images()) == 30


def test_the_region_lies_midway_between_aponeuroses(rendered, study):
    whole = study.changed({"view": "whole"})
    region, image = (prepare_scene(one, 5, 1) for one in (study, whole))
    first = int(rendered.read("first_row", 3))
    np.testing.assert_array_equal(
        region.images("combined"), image.images("combined")[:, first : first + 24]
    )
    rest = image.masks("passive", 0, 1)[0]
    np.testing.assert_array_equal(region.masks("passive", 0, 1)[0], rest[:, first : first + 24])
    superficial, deep = (np.flatnonzero(one[:, 24]).mean() for one in rest)
    assert abs((superficial + deep) / 2 - (first + 11.5)) < 1


def test_participants_do_not_depend_on_one_another_nor_on_the_tasks_asked_for(rendered, study):
    alone = generate_trials(study, "memory://alone.zarr", sequences=2, tasks=("passive",), seed=5)
    assert [trial.name for trial in trials_of(alone)] == ["00-passive", "01-passive"]
    np.testing.assert_array_equal(alone.bmode(0), rendered.bmode(1))
    assert not np.array_equal(alone.bmode(0), alone.bmode(1))
    other = generate_trials(study, "memory://other.zarr", sequences=1, tasks=("passive",), seed=6)
    assert not np.array_equal(other.read("angle", 0), alone.read("angle", 0))


def test_workers_and_an_interruption_give_the_same(written, study, tmp_path, refused):
    out = tmp_path / "again.zarr"
    asked = {"sequences": 4, "seed": 5, "written": True, "part_size": 3}
    generate_trials(study, out, **asked, workers=2, pool="threads")
    (out / "zarr.json").unlink()
    (out / ".musim" / "parts" / "000000.json").unlink()
    for chunk in (out / "bmode").glob("c.1.*"):
        chunk.unlink()
    with refused("found an unfinished store (1 of 2 parts)"):
        open_store(out)
    with refused("found a store with other settings", "duration: 1.0 there, 2.0 asked"):
        generate_trials(study.changed({"duration": 2}), out, **asked, resume=True)
    again = generate_trials(study, out, **asked, workers=1, pool="threads", resume=True)
    for name in ("bmode", "emg", "mode_course"):
        for index in range(4):
            np.testing.assert_array_equal(again.read(name, index), written.read(name, index))


def test_damage_is_found(written, tmp_path, refused):
    assert len(verify(written.location)) == 4
    copy = tmp_path / "copy.zarr"
    shutil.copytree(written.location.path, copy)
    chunk = copy / "bmode" / "c.3.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(FailureError, match=r"part 1: bmode/c\.3\.0\.0\.0 is altered"):
        verify(copy)
    with pytest.raises(FailureError, match="part 1 is damaged"):
        open_store(copy).bmode(3)


def test_what_needs_velocity_refuses_it(rendered, refused):
    for read in (open_sequences, check_velocity, lambda store: store.tvi(0)):
        with refused("found B-mode videos of muscle", "wanted sequences of tissue velocity"):
            read(rendered)


def test_what_cannot_be_planned_is_refused(study, refused, tmp_path):
    with refused("tasks: found 'running', wanted some of isometric, passive, combined"):
        plan_trials(study, tasks=["running"])
    with refused("sequences: found 0"):
        plan_trials(study, sequences=0)
    with refused("parameter: found 'effrt', wanted effort (or one of "):
        study.changed({"effrt": 1})
    with refused("region_rows: found 100 px, wanted at most the 64 px"):
        study.changed({"region_rows": 100})
    with refused("shortening: found 90 mm"):
        generate_trials(study.changed({"shortening": 90}), tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())
