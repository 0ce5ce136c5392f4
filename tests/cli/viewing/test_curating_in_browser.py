"""Curation in a real browser, with the mouse and with keys alone."""

import numpy as np
import pytest

from musim.datasets import open_store
from musim.training.identification.curation.geometry import coverage
from musim.training.verifying import verify
from tests.cli.viewing.test_viewer_in_browser import (  # noqa: F401
    browser,
    place_of,
    state,
    visit,
    wait_until,
)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "curated.zarr"


@pytest.fixture
def curating(looked_at, serving, out):
    """A client of a server where the units of the first method are curated."""
    with serving(looked_at.paths, curate=out) as client:
        yield client


@pytest.fixture
def page(curating, visit):  # noqa: F811 (the server outlives the page)
    return visit(curating)


def wait_for_changes(page, count):
    wait_until(page, f"musim.state.curation.changes === {count}")
    wait_until(page, "!document.body.classList.contains('changing')")


def unit(page, number, place=0):
    return page.evaluate(f"musim.data.seen[{place}].units[1][{number}]")


def at(page, depth, width):
    """Return where a place of the image (mm; pixels are of 1 mm) lies on the screen."""
    return place_of(page, depth - 0.5, width - 0.5)


def firing_at(page, number, instant):
    """Return where a firing of a unit lies on the screen."""
    return page.evaluate(
        """async ([number, instant]) => {
          const { drawn } = await import("/trains.js");
          const { plot, rows } = drawn();
          const box = plot.over.getBoundingClientRect();
          const row = rows.findIndex((one) => one.unit === number);
          const down = (row + 1) / rows.length * box.height - 8;
          return [box.left + plot.valToPos(instant, "x"), box.top + down];
        }""",
        [number, instant],
    )


def test_units_are_accepted_and_rejected(page, curating):
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    wait_for_changes(page, 1)
    page.keyboard.press("ArrowDown")
    page.locator("#curating button", has_text="Reject").click()
    wait_for_changes(page, 2)
    assert page.locator("#table td:nth-child(2)").all_inner_texts() == ["✓", "✗", "", ""]
    assert page.locator("#table tr.rejected .label").inner_text() == "1"
    assert "2 changes by anna, kept in curated.edits.json" in (
        page.locator("#curation-status").inner_text()
    )
    assert page.locator("#sets button[aria-pressed=true]:not(.eye)").inner_text().split() == (
        ["curated", "3"]
    )
    rows = curating.json("/api/units")[1]
    assert [row["accepted"] for row in rows] == [True, False, False, False]
    page.reload()
    page.wait_for_selector("body.ready")
    wait_until(page, "musim.data.seen.length > 0")
    assert page.locator("#table td:nth-child(2)").all_inner_texts() == ["✓", "✗", "", ""]
    page.keyboard.press("z")
    wait_for_changes(page, 1)
    assert page.locator("#table tr.rejected").count() == 0
    page.keyboard.press("Z")
    wait_for_changes(page, 2)
    assert page.locator("#table tr.rejected").count() == 1


def test_a_unit_is_split_by_two_clicks_and_combined_again(page, looked_at):
    territory = looked_at.units.read("territory", 0)[2]
    depth, width = (float(looked_at.units.read(f"centre_{a}", 0)[2]) for a in ("depth", "width"))
    page.locator("#table tr[data-unit='2'] .label").click()
    page.keyboard.press("s")
    assert "click two points of a line" in page.locator("#curation-hint").inner_text()
    page.mouse.click(*at(page, depth, max(width - 6, 1)))
    page.mouse.click(*at(page, depth, min(width + 6, 23)))
    wait_for_changes(page, 1)
    assert state(page, "unit") == 4  # the first of both
    assert page.locator("#table tr[data-unit]").count() == 5
    halves = unit(page, 4)["area"], unit(page, 5)["area"]
    assert sum(halves) == pytest.approx((territory > 0.5).sum())
    assert min(halves) > 0.3 * sum(halves)
    page.keyboard.press("c")
    assert "one with 4" in page.locator("#curation-hint").inner_text()
    page.locator("#table tr[data-unit='5'] .label").click()
    wait_for_changes(page, 2)
    assert state(page, "unit") == 6
    assert unit(page, 6)["area"] == sum(halves)
    assert page.locator("#table tr[data-unit]").count() == 4


def test_a_line_drawn_about_a_unit_is_its_outline(page, out):
    page.keyboard.press("n")
    corners = [(8.0, 6.0), (8.0, 14.0), (18.0, 14.0), (18.0, 6.0)]
    page.mouse.move(*at(page, *corners[0]))
    page.mouse.down()
    for corner in [*corners[1:], (9.0, 6.0)]:
        page.mouse.move(*at(page, *corner), steps=12)
    page.mouse.up()
    wait_for_changes(page, 1)
    assert state(page, "tool") is None
    assert state(page, "unit") == 4
    assert unit(page, 4)["area"] == pytest.approx(80, abs=8)
    assert unit(page, 4)["centre"] == pytest.approx([13, 10], abs=0.6)
    page.keyboard.press("S")
    wait_until(page, "musim.state.curation.saved")
    wanted = coverage(corners, (32, 24), (1.0, 1.0)) > 0.5
    found = open_store(out).read("territory", 0)[:5] > 0.5
    shared = (found & wanted).sum(axis=(1, 2)) / (found | wanted).sum(axis=(1, 2))
    assert shared.max() > 0.85


def test_clicked_corners_are_an_outline_that_enter_closes(page):
    page.mouse.click(*at(page, 20, 20))
    page.keyboard.press("n")
    for corner in [(8, 6), (8, 14), (18, 14), (18, 6)]:
        page.mouse.click(*at(page, *corner))
    assert len(state(page, "tool")["points"]) == 4
    page.keyboard.press("Enter")
    wait_for_changes(page, 1)
    assert unit(page, 4)["area"] == pytest.approx(80, abs=8)
    assert unit(page, 4)["centre"] == pytest.approx([13, 10], abs=0.6)


def test_keys_alone_outline_a_unit(page):
    page.keyboard.press("ArrowDown")
    page.keyboard.press("w")
    page.keyboard.press("i")
    page.keyboard.press("Enter")  # the middle of the image
    for key in ("ArrowDown", "ArrowRight", "ArrowUp"):
        for _ in range(6):
            page.keyboard.press(f"Shift+{key}")
        page.keyboard.press("Enter")
    assert page.locator(".tool .corner").count() == 4
    page.keyboard.press("Enter")  # on the last corner again
    wait_for_changes(page, 1)
    assert unit(page, 0)["changed"]
    # From the middles of pixels: of those along the sides half is in, which is not enough.
    assert unit(page, 0)["area"] == 25
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    assert state(page, "tool") is None
    assert state(page, "unit") == 0  # it is the tool that ended


def test_firings_are_dragged_and_nudged(page, curating):
    page.wait_for_selector("#plot .u-over")
    before = unit(page, 1)["firings"]
    x, y = firing_at(page, 1, before[2])
    to, _ = firing_at(page, 1, before[2] + 0.012)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to, y, steps=5)
    page.mouse.up()
    wait_for_changes(page, 1)
    assert state(page, "window") is None  # nothing was zoomed
    moved = unit(page, 1)["firings"]
    assert moved[2] == pytest.approx(before[2] + 0.012, abs=0.002)
    assert np.delete(moved, 2).tolist() == np.delete(before, 2).tolist()
    page.keyboard.press("f")  # from the moment that is seen to the unit's next firing
    frame = round(page.evaluate("musim.state.time") * 400)
    page.keyboard.press("k")
    wait_for_changes(page, 2)
    assert round(page.evaluate("musim.state.time") * 400) == frame + 1
    page.keyboard.press("Delete")
    wait_for_changes(page, 3)
    assert len(unit(page, 1)["firings"]) == len(before) - 1
    page.keyboard.press("e")
    wait_for_changes(page, 4)
    assert len(unit(page, 1)["firings"]) == len(before)
    for left in (3, 2, 1, 0):
        page.keyboard.press("z")
        wait_for_changes(page, left)
    assert unit(page, 1)["firings"] == before
    assert curating.json("/api/units")[1][1]["firings"] == before


def test_a_click_on_a_firing_goes_there(page):
    page.wait_for_selector("#plot .u-over")
    instant = unit(page, 2)["firings"][1]
    page.mouse.click(*firing_at(page, 2, instant))
    assert state(page, "unit") == 2
    assert state(page, "time") == pytest.approx(instant, abs=1e-6)
    assert state(page, "curation")["changes"] == 0


def test_what_is_saved_verifies(page, out):
    page.keyboard.press("PageDown")
    wait_until(page, "musim.state.sequence === 1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("d")
    wait_for_changes(page, 1)
    page.keyboard.press("PageUp")
    wait_until(page, "musim.state.sequence === 0")
    page.locator("#curating button", has_text="Save").click()
    wait_until(page, "musim.state.curation.saved")
    assert "1 change by anna, saved in" in page.locator("#curation-status").inner_text()
    assert page.locator("#curating button", has_text="Save").is_disabled()
    store = verify(out, remake=2)
    assert [int(store.read("unit_count", n)) for n in range(2)] == [4, 3]
    page.keyboard.press("z")  # of the other sequence: it is gone to
    wait_until(page, "musim.state.sequence === 1 && !musim.state.curation.saved")
    assert page.locator("#table tr.rejected").count() == 0


def test_what_cannot_be_done_is_said(page):
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    page.mouse.click(*at(page, 0.5, 3))
    page.mouse.click(*at(page, 0.5, 20))
    page.wait_for_selector("#trouble:not([hidden])")
    assert "found a half with no pixel" in page.locator("#trouble").inner_text()
    assert state(page, "curation")["changes"] == 0
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    assert "one of the units that are curated" in page.locator("#curation-hint").inner_text()
    # What the browser itself says of an answer that refuses.
    page.troubles[:] = [one for one in page.troubles if "status of 400" not in one]


def test_a_change_that_takes_long_says_so(page):
    held, hint = [], page.locator("#curation-hint")

    def hold(route):
        held.append(route)

    page.route("**/edit*", hold)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    wait_until(page, "document.getElementById('curation-hint').innerText.startsWith('Work')")
    page.keyboard.press("d")
    assert "was not made" in hint.inner_text()
    page.keyboard.press("w")
    assert state(page, "tool") is None
    held[0].continue_()
    wait_for_changes(page, 1)
    assert (len(held), hint.inner_text()) == (1, "")


@pytest.mark.parametrize("width", [420, 1600])
def test_everything_has_its_place(curating, visit, width):  # noqa: F811
    page = visit(curating, width=width)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("w")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("#curating button:visible")
    assert shown.count() == 13
    for index in range(shown.count()):
        box = shown.nth(index).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    bar, image = (page.locator(one).bounding_box() for one in ("#curating", "#image"))
    assert bar["y"] + bar["height"] <= image["y"]
    page.keyboard.press("?")
    assert "outline a new unit" in page.locator("#help").inner_text()
    page.keyboard.press("Escape")
    assert state(page, "tool") is not None  # the help was closed, and nothing else
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert state(page, "unit") is None
    assert page.locator("#curating button", has_text="Accept").is_disabled()
