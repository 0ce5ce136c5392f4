"""Two domains: clips are standardised, unpaired and reproducible; misfits are told in one line."""

import itertools
import pickle
from contextlib import closing

import numpy as np
import pytest

from musim.datasets import open_store
from musim.simulator import InputError
from musim.training.translation.domains import Domains, batches_from

OPTIONS = {"frames": 8, "batch_size": 2, "seed": 3}


def take(domains, count, step=0, **options):
    with closing(batches_from(domains.loader(**{**OPTIONS, **options}), step)) as made:
        return list(itertools.islice(made, count))


def start_of(clip, store, index, flip=False):
    """Return where a standardised clip lies in its sequence; None if it is not from there."""
    tvi = store.tvi(index)
    voxels = np.stack([store.tvi(i) for i in range(len(store))]).astype(float)
    wanted = (tvi - voxels.mean()) / voxels.std()
    wanted = wanted[..., ::-1] if flip else wanted
    starts = range(len(tvi) - len(clip) + 1)
    found = [t for t in starts if np.allclose(wanted[t : t + len(clip)], clip, atol=1e-4)]
    return found[0] if found else None


def test_clips_are_windows_standardised_over_their_store(domains):
    pairs = take(domains, 4)
    starts = {"a": [], "b": []}
    for pair in pairs:
        for name, store in zip("ab", domains.stores, strict=True):
            assert pair[name]["tvi"].shape[1:] == (8, 32, 32)
            for clip, index in zip(pair[name]["tvi"], pair[name]["index"], strict=True):
                assert int(index) in {0, 1, 3, 5, 6}
                starts[name].append(start_of(clip.numpy(), store, int(index)))
    assert all(start is not None for start in starts["a"] + starts["b"])
    assert len(set(starts["a"])) > 2
    assert starts["a"] != starts["b"]


def test_two_stores_or_their_places_are_domains(domains, refused):
    for given in (domains, domains.stores, [domains.a, domains.b]):
        assert Domains.of(given) == domains
    for given in ("a.zarr", [domains.a], 1):
        with refused("source: found ", " wanted two stores"):
            Domains.of(given)


def test_an_epoch_shows_every_sequence_once_and_the_next_ones_others(domains):
    pairs = take(domains, 6)  # five sequences in batches of at most two: three a epoch
    for name in "ab":
        shown = [[int(i) for pair in pairs[k : k + 3] for i in pair[name]["index"]] for k in (0, 3)]
        assert sorted(shown[0]) == sorted(shown[1]) == [0, 1, 3, 5, 6]
        assert shown[0] != shown[1]


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_batch_is_the_same_whichever_step_is_begun_with(domains, step):
    whole, rest = take(domains, 7), take(domains, 7 - step, step)
    for one, other in zip(whole[step:], rest, strict=True):
        for name in "ab":
            assert (one[name]["tvi"] == other[name]["tvi"]).all()
            assert (one[name]["index"] == other[name]["index"]).all()


def test_processes_have_other_sequences(domains):
    shown = [
        {int(i) for pair in take(domains, 2, batch_size=1, rank=rank, ranks=2)
         for i in pair["a"]["index"]}
        for rank in (0, 1)
    ]  # fmt: skip
    assert not shown[0] & shown[1]


def test_clips_are_flipped_by_halves_and_each_domain_for_itself(domains):
    found = {"a": [], "b": []}
    for pair in take(domains, 9, flips=("width",)):
        for name, store in zip("ab", domains.stores, strict=True):
            for clip, index in zip(pair[name]["tvi"], pair[name]["index"], strict=True):
                upright, turned = (
                    start_of(clip.numpy(), store, int(index), flip) is not None
                    for flip in (False, True)
                )
                assert upright != turned
                found[name].append(turned)
    assert 3 <= sum(found["a"]) <= 12
    assert found["a"] != found["b"]


def test_what_is_held_out_is_never_shown(domains):
    held = [domains.held_out(domain, 9) for domain in (0, 1)]
    assert held == [[2, 7], [2, 7]]
    assert domains.held_out(0, 1) == [2]


def test_domains_are_kept_as_plain_values_and_go_to_other_processes(domains, monkeypatch, tmp_path):
    monkeypatch.chdir(open_store(domains.a).location.path.parent)
    named = Domains("a.zarr", "b.zarr")
    assert named == domains
    monkeypatch.chdir(tmp_path)
    assert Domains.from_json(named.to_json()) == domains
    sent = pickle.loads(pickle.dumps(domains))
    assert sent == domains
    assert len(sent.stores[0]) == 8
    assert sent.grid.shape == (48, 32, 32)


def test_sequences_of_other_lengths_go_together(domains, make_store):
    longer = Domains(domains.a, str(make_store("longer", frames=60, seed=3)))
    assert take(longer, 1)[0]["b"]["tvi"].shape[1:] == (8, 32, 32)


def test_stores_rendered_on_reading_give_the_same_clips(domains, make_store):
    rendered = Domains(str(make_store("rendered", kind="rendered")), domains.b)
    ours, theirs = (take(each, 1)[0]["a"] for each in (rendered, domains))
    assert (ours["index"] == theirs["index"]).all()
    # The noise's variance is known there, not measured: scales differ by a little.
    assert np.allclose(ours["tvi"], theirs["tvi"], atol=0.02)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": (36, 32)}, ["36 x 32 px", "wanted 32 x 32 px"]),
        ({"size": (32.0, 16.0)}, ["1 x 0.5 mm", "wanted 32 x 32 px of 1 x 1 mm"]),
        ({"frame_rate": 250.0}, ["250 Hz", "200 Hz"]),
        ({"frames": 7}, ["found sequences of 7 frames, wanted 8", "`settings.frames`"]),
    ],
)
def test_domains_that_do_not_fit_are_told(domains, make_store, changes, words, refused):
    name = "other-" + "-".join(changes)
    other = Domains(domains.a, str(make_store(name, sequences=3, **changes)))
    with refused() as caught:
        other.loader(**OPTIONS)
    text = str(caught.value)
    assert "\n" not in text
    assert name in text
    assert all(word in text for word in words), text


@pytest.mark.parametrize(("sequences", "ranks", "words"), [
    (2, 1, ["found 0 of 2 sequences for validation, wanted 1", "store of 3 or more"]),
    (3, 3, ["found 2 of 3 sequences for train, wanted 3", "store of 4 or more"]),
])  # fmt: skip
def test_too_few_sequences_are_told_with_how_many_do(
    domains, make_store, sequences, ranks, words, refused
):
    few = Domains(domains.a, str(make_store(f"few-{sequences}", sequences=sequences)))
    with refused() as caught:
        few.check_ready(ranks)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert f"few-{sequences}" in str(caught.value)
    enough = Domains(domains.a, str(make_store("enough", sequences=4)))
    enough.check_ready(ranks)


def test_one_store_is_not_two(domains, tmp_path, refused):
    (tmp_path / "link.zarr").symlink_to(domains.a)
    for other in (domains.a, f"{domains.a}/", str(tmp_path / "link.zarr")):
        with refused("one store for both"):
            Domains(domains.a, other)


def test_units_that_were_identified_are_no_domain(domains, identified, refused):
    for pair in ((domains.a, str(identified)), (str(identified), domains.b)):
        with refused("units that were identified"):
            Domains(*pair)


def test_a_store_that_is_not_there_or_cannot_be_standardised_is_told(
    domains, store_of, tmp_path, refused
):
    with refused("found nothing there"):
        Domains(domains.a, str(tmp_path / "nowhere.zarr"))
    for value in (1.0, np.nan):
        still = store_of(f"still-{value}", [np.full((48, 32, 32), value, np.float32)] * 8)
        with pytest.raises(InputError, match=f"still-{value}.*wanted finite ones that differ"):
            Domains(domains.a, str(still)).loader(**OPTIONS)
