"""What notebooks show of a store: all there is, escaped, quickly, whatever state it is in."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from musim.datasets import open_store
from musim.datasets.notebook import MOST_VOXELS, html_of
from musim.datasets.store import Store


class Reader(html.parser.HTMLParser):
    """Collects texts, and attributes by tag; fails where tags are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.found = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.found.setdefault(tag, []).append(dict(attributes))

    def handle_startendtag(self, tag, attributes):
        self.found.setdefault(tag, []).append(dict(attributes))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_it_says_what_the_store_holds_and_shows_a_sequence(store):
    page = Reader(store._repr_html_())
    said = " ".join(page.texts)
    for words in (str(store.location), "seed 7", "5", "30 frames", "9 x 7 px", "territory"):
        assert words in said
    assert f"units {store.parameters.units}" in said
    assert ("stored" in said) == (store.kind == "dense")
    count = int(store.read("unit_count", 0))
    assert f"{count} units" in said
    assert len(page.found["path"]) == count
    content = page.found["image"][0]["href"].removeprefix("data:image/png;base64,")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    spread = store.tvi(0).std(axis=0)
    assert picture.shape == (9, 7)
    assert np.abs(picture - 255 * spread / spread.max()).max() <= 1


def test_outlines_lie_around_their_masks(store):
    for index, path in enumerate(Reader(html_of(store)).found["path"]):
        corners = np.array(re.findall(r"([\d.-]+) ([\d.-]+)", path["d"]), float)
        depth, width = np.nonzero(store.read("territory", 0)[index] > 0.5)
        # Half a pixel beyond the centres of the outermost pixels, at the most.
        assert np.allclose(corners.min(axis=0), [width.min(), depth.min()], atol=0.51)
        assert np.allclose(corners.max(axis=0), [width.max() + 1, depth.max() + 1], atol=0.51)


def test_what_comes_from_outside_is_escaped(copy, dense):
    path = copy(dense)
    evil = path.rename(path.with_name("<script>alert(1)</script>.zarr".replace("/", "")))
    page = html_of(open_store(evil))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_no_more_than_one_sequence_is_read(store, monkeypatch):
    read = []
    for name in ("tvi", "read"):
        before = getattr(Store, name)

        def noting(self, *arguments, before=before, name=name, **options):
            read.append((name, arguments[-1]))
            return before(self, *arguments, **options)

        monkeypatch.setattr(Store, name, noting)
    html_of(store)
    assert {index for _, index in read} == {0}
    assert [name for name, _ in read].count("tvi") == 1
    assert MOST_VOXELS < 1e7


def test_long_sequences_are_looked_at_in_part(store, monkeypatch):
    monkeypatch.setattr("musim.datasets.notebook.MOST_VOXELS", 9 * 7 * 10)
    assert "SD of 0.025 s" in html_of(store)  # 10 frames at 400 Hz


@pytest.mark.parametrize("name", ["tvi", "territory", "unit_count"])
def test_a_damaged_store_is_shown_as_far_as_it_goes(name, copy, dense):
    path = copy(dense)
    store = open_store(path)
    for chunk in (path / name).glob("c.*"):
        chunk.write_bytes(b"damaged")
    page = html_of(store)
    assert "9 x 7 px" in page
    assert f"damaged in {name}" in page
    assert "<svg" not in page
    Reader(page)
