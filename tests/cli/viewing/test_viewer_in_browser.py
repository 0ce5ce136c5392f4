"""The viewer in a real browser: what is seen is what the store holds, and keys reach everything."""

import shutil

import matplotlib as mpl
import numpy as np
import pytest

from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.colours import VELOCITY_COLOURS
from tests.browsers import headless

PIXELS = """() => {
  const canvas = document.querySelector(".stage canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, Array.from(data)];
}"""


@pytest.fixture(scope="module")
def browser():
    """Return a headless browser, without which these tests are skipped."""
    with headless() as opened:
        yield opened


@pytest.fixture
def visit(browser, client):
    """Return a function that opens the viewer; at the end, nothing went wrong, nor out."""
    contexts, troubles = [], []

    def open_page(server=client, width=1600, height=900, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        origin = f"http://127.0.0.1:{server.port}/"
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"{error} {error.stack}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(origin)
                else troubles.append(f"asks for {request.url}")
            ),
        )
        page.goto(server.address)
        page.wait_for_selector("body.ready")
        wait_for_frame(page, 0)
        assert page.url.partition("#")[0] == origin  # the token is out of the address
        page.troubles, page.address = troubles, server.address
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def wait_for_frame(page, frame, layer="velocity", sequence=0):
    page.wait_for_selector(f'canvas[data-shown="{sequence}/{layer}/{frame}"]')


def wait_until(page, truth):
    """Wait for an expression; the page's own policy keeps others from waiting within it."""
    for _ in range(400):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"{truth} does not come true")


def pixels(page):
    """Return the colours of the image that is shown, uint8 (depth, width, 3)."""
    depth, width, values = page.evaluate(PIXELS)
    return np.array(values, np.uint8).reshape(depth, width, 4)[..., :3]


def colours(values, limit):
    """Return the colours that matplotlib gives velocities."""
    shares = (values + limit) / (2 * limit)
    return np.round(mpl.colormaps[VELOCITY_COLOURS](shares)[..., :3] * 255).astype(np.uint8)


def state(page, name):
    return page.evaluate(f"musim.state.{name}")


def place_of(page, row, column):
    """Return where a pixel of the image lies on the screen."""
    box = page.locator(".stage canvas").first.bounding_box()
    depth, width, _ = page.evaluate(PIXELS)
    return (
        box["x"] + (column + 0.5) * box["width"] / width,
        box["y"] + (row + 0.5) * box["height"] / depth,
    )


def only_pixel(masks, unit):
    """Return a pixel, well inside, that is this unit's alone."""
    alone = masks[unit] & (masks.sum(axis=0) == 1)
    from scipy.ndimage import distance_transform_edt

    return np.unravel_index(np.argmax(distance_transform_edt(np.pad(alone, 1))[1:-1, 1:-1]),
                            alone.shape)  # fmt: skip


def test_the_frame_shown_is_that_of_the_store(visit, looked_at, client):
    page = visit()
    limit = client.json("/api/sequence")["ranges"]["velocity"][1]
    for frame in (0, 17, 299):
        page.locator("#frame").fill(str(frame))
        wait_for_frame(page, frame)
        wanted = colours(looked_at.recording.tvi(0, time=slice(frame, frame + 1))[0], limit)
        # A value on the border of two levels may be on either side of it in other precision.
        assert (np.abs(pixels(page).astype(int) - wanted) > 4).mean() < 0.001
        assert (pixels(page) == wanted).all(axis=2).mean() > 0.99


def test_layers_are_those_of_the_store(visit, looked_at, client):
    page = visit()
    limit = client.json("/api/sequence")["ranges"]["velocity"][1]
    found = looked_at.units
    made = np.tensordot(found.read("twitch_train", 0)[:4, 0], found.read("territory", 0)[:4], 1)
    page.keyboard.press("3")
    wait_for_frame(page, 0, "reconstruction")
    assert (pixels(page) == colours(made, limit)).all(axis=2).mean() > 0.99
    page.keyboard.press("4")
    wait_for_frame(page, 0, "residual")
    left = looked_at.recording.tvi(0)[0] - made
    assert (pixels(page) == colours(left, limit)).all(axis=2).mean() > 0.99
    page.keyboard.press("2")
    wait_for_frame(page, 0, "sd")
    deviation = looked_at.recording.tvi(0).std(axis=0)
    darkest = np.unravel_index(np.argmin(pixels(page)[..., 0]), deviation.shape)
    assert deviation[darkest] > 0.99 * deviation.max()


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_a_click_takes_the_unit_that_is_there(visit, looked_at, unit):
    page = visit()
    row, column = only_pixel(looked_at.units.read("territory", 0)[:4] > 0.5, unit)
    page.mouse.click(*place_of(page, row, column))
    assert state(page, "unit") == unit
    assert state(page, "pixel") == {"row": row, "column": column}
    page.wait_for_selector("#detail .neighbours td")
    assert page.locator("#detail h2 .label").inner_text() == str(unit)
    assert page.locator("#table tr.lit .label").inner_text() == str(unit)
    assert page.locator(".overlay path.lit").count() == 1


def test_a_closer_look_keeps_what_lies_where(visit, looked_at):
    page = visit()
    row, column = only_pixel(looked_at.units.read("territory", 0)[:4] > 0.5, 2)
    x, y = place_of(page, row, column)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    wait_until(page, "document.querySelector('.stage').classList.contains('closer')")
    assert place_of(page, row, column) == (pytest.approx(x, abs=8), pytest.approx(y, abs=8))
    page.mouse.click(x, y)
    assert (state(page, "unit"), state(page, "pixel")) == (2, {"row": row, "column": column})
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=3)
    page.mouse.up()
    assert state(page, "unit") == 2  # dragging is no click
    page.keyboard.press("Shift+Z")
    assert page.locator(".stage.closer").count() == 0
    page.keyboard.press("z")
    assert page.locator(".stage.closer").count() == 1


def test_a_click_where_none_is_takes_the_pixel_alone(visit, looked_at):
    page = visit()
    page.keyboard.press("ArrowDown")
    all_sets = [looked_at.recording, looked_at.units, looked_at.other]
    masks = np.concatenate([one.read("territory", 0)[:4] > 0.5 for one in all_sets])
    from scipy.ndimage import distance_transform_edt

    nothing = np.pad(~masks.any(axis=0), 1)
    row, column = np.unravel_index(
        np.argmax(distance_transform_edt(nothing)[1:-1, 1:-1]), masks.shape[1:]
    )
    page.mouse.click(*place_of(page, row, column))
    assert state(page, "unit") is None
    assert state(page, "pixel") == {"row": row, "column": column}
    page.mouse.move(*place_of(page, row, column))
    value = looked_at.recording.tvi(0)[0, row, column]
    assert f"{value:.3f}".replace("-", "−") in page.locator("#readout").inner_text()


def test_keys_do_everything(visit):
    page = visit()
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, 1)
    page.keyboard.press("Shift+ArrowRight")
    wait_for_frame(page, 11)
    page.keyboard.press("End")
    wait_for_frame(page, 299)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    page.keyboard.press("ArrowDown")
    assert state(page, "unit") == 0
    page.keyboard.press("ArrowUp")
    assert state(page, "unit") == 3
    firings = page.evaluate("musim.data.seen[0].units[musim.state.set][3].firings")
    page.keyboard.press("f")
    first = next(round(t * 400) for t in firings if round(t * 400) > 0)
    wait_for_frame(page, first)
    page.keyboard.press("x")
    assert page.evaluate("[...musim.state.left]") == [3]
    page.keyboard.press("m")
    assert (state(page, "set"), state(page, "unit")) == (2, None)
    page.keyboard.press("o")
    assert page.locator(".overlay").is_hidden()
    page.keyboard.press("+")
    assert page.evaluate("musim.state.window[1] - musim.state.window[0]") == pytest.approx(0.375)
    page.keyboard.press("0")
    assert state(page, "window") is None
    page.keyboard.press("PageDown")
    wait_for_frame(page, first, sequence=1)
    page.keyboard.press("i")
    page.keyboard.press("Shift+ArrowRight")
    assert state(page, "pixel") == {"row": 16, "column": 13}
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    page.keyboard.press("g")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    wait_for_frame(page, first, sequence=0)


def test_tab_reaches_every_control(visit):
    page = visit()
    page.wait_for_selector("#score:not([hidden])")  # until then the table is not complete
    script = """() => [...document.querySelectorAll("main button, main input, main select, .stage")]
      .filter((one) => one.tabIndex >= 0 && one.checkVisibility() && !one.disabled).length"""
    wanted, reached = page.evaluate(script), set()
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        place = page.evaluate("""() => {
          const one = document.activeElement;
          if (!one.closest("main")) return null;
          return [...document.querySelectorAll("main *")].indexOf(one);
        }""")
        if place is not None:
            reached.add(place)
    assert len(reached) == wanted


def test_what_is_drawn_anew_keeps_the_focus(visit):
    page = visit()
    page.wait_for_selector("#score:not([hidden])")
    focus = "document.activeElement.dataset.focus"
    for name, key in (("sort-rate", "Enter"), ("in-2", "Space"), ("unit-1", "Enter"),
                      ("set-0", "Enter"), ("eye-1", "Enter"), ("sd", "Enter")):  # fmt: skip
        page.locator(f'[data-focus="{name}"]').focus()
        page.keyboard.press(key)
        assert page.evaluate(focus) == name
    assert (state(page, "set"), state(page, "layer")) == (0, "sd")
    assert page.evaluate("[...musim.state.hidden]") == [1]


def test_it_plays_and_stops(visit):
    page = visit()
    assert state(page, "speed") == 0.1  # 40 of 400 frames a second are seen
    speeds = page.evaluate("""async () => {
      const { firstSpeed } = await import("/player.js");
      return [25, 60, 512, 10000, 1e9].map(firstSpeed);
    }""")
    assert speeds == [1, 1, 0.1, 0.005, 0.001]
    page.keyboard.press("Space")
    wait_until(page, "musim.state.time > 0.02")
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    page.keyboard.press("Space")
    before = state(page, "time")
    page.wait_for_timeout(200)
    assert state(page, "time") == before


def test_dragging_over_the_trains_shows_less_time(visit):
    page = visit()
    page.wait_for_selector("#plot .u-over")
    box = page.locator("#plot .u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=4)
    page.mouse.up()
    first, last = state(page, "window")
    assert (first, last) == (pytest.approx(0.1875, abs=0.01), pytest.approx(0.375, abs=0.01))
    page.mouse.wheel(0, -500)
    wait_until(page, "musim.state.window[1] - musim.state.window[0] < 0.1")
    page.mouse.dblclick(box["x"] + 0.5 * box["width"], y)
    assert state(page, "window") is None


def test_a_click_on_a_train_takes_its_unit_and_moment(visit):
    page = visit()
    page.wait_for_selector("#plot .u-over")
    box = page.locator("#plot .u-over").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    assert state(page, "unit") == 2
    assert state(page, "time") == pytest.approx(0.375, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_everything_has_its_place(visit, width, scheme):
    page = visit(width=width, color_scheme=scheme)
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#detail .neighbours td")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("main .panel, .stage canvas, #plot canvas, .twitch canvas, #table tr")
    assert shown.count() >= 4 + 1 + 1 + 1 + 5
    for index in range(shown.count()):
        box = shown.nth(index).bounding_box()
        assert box["width"] > 5
        assert box["height"] > 5
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    box = page.locator(".stage").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(24 / 32, rel=0.02)  # as the tissue is
    panels = [page.locator("main .panel").nth(n).bounding_box() for n in range(4)]
    for one in range(4):
        for other in range(one):
            a, b = panels[one], panels[other]
            apart = (
                a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
                or a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"]
            )  # fmt: skip
            assert apart


def test_units_are_seen_in_the_light_of_the_truth(visit):
    page = visit()
    page.wait_for_selector("#score:not([hidden])")
    told = page.locator("#score").inner_text()
    assert told == "Trains match 3 of 4 true units (recall 0.75, precision 0.75)."
    assert page.locator("#table td:nth-child(3)").all_inner_texts() == ["0", "1", "2", "–"]
    page.keyboard.press("ArrowDown")
    assert "matches 0 (r " in page.locator("#detail dl").inner_text()
    assert page.locator(".overlay path.true:not(.faded)").count() == 1


def test_loading_again_comes_back_to_the_place(visit):
    page = visit()
    page.keyboard.press("PageDown")
    wait_for_frame(page, 0, sequence=1)
    page.keyboard.press("4")
    page.keyboard.press("ArrowUp")
    page.locator("#frame").fill("20")
    wait_for_frame(page, 20, "residual", 1)
    wait_until(page, "location.hash.includes('time=0.05')")
    page.reload()
    wait_for_frame(page, 20, "residual", 1)
    assert (state(page, "unit"), state(page, "set")) == (3, 1)
    page.goto("about:blank")
    page.goto(page.address + "#sequence=7&unit=x&layer=nothing&set=-1&time=1e9&recording=5")
    wait_for_frame(page, 0)
    assert (state(page, "unit"), state(page, "set")) == (None, 1)


@pytest.mark.parametrize(
    "seen",
    [
        np.eye(3),
        # Of deuteranopes and protanopes (Machado et al. 2009, doi:10.1109/TVCG.2009.113).
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]],
    ],
    ids=["all", "deuteranopia", "protanopia"],
)  # fmt: skip
def test_the_colour_blind_tell_colours_apart(visit, client, seen):
    def lab(colours):
        values = np.asarray(colours, float) / 255
        linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
        linear = np.clip(linear @ np.array(seen).T, 0, 1)
        to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                           [0.0193, 0.1192, 0.9505]]) / [[0.9505], [1], [1.089]]  # fmt: skip
        x, y, z = np.cbrt(np.maximum(linear @ to_xyz.T, 0.008856)).T
        return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)

    velocity = lab(client.array("/api/colours")[0])
    assert np.linalg.norm(velocity[0] - velocity[-1]) > 30  # both directions
    assert (np.linalg.norm(velocity[[0, -1]] - velocity[127], axis=1) > 40).all()
    middle = velocity[:, 0].argmax()
    assert (np.diff(velocity[: middle + 1, 0]) > -1).all()  # lighter up to the middle,
    assert (np.diff(velocity[middle:, 0]) < 1).all()  # then darker
    page = visit()
    styles = page.evaluate("""async () => {
      const { setStyle } = await import("/colours.js");
      return [["true", 0], ...[0, 1, 2, 3, 4, 5].map((n) => ["found", n])]
        .map(([kind, number]) => setStyle(kind, number));
    }""")
    assert len({style["dashes"] for style in styles}) == len(styles)
    shown = lab([[int(style["colour"][n : n + 2], 16) for n in (1, 3, 5)] for style in styles])
    apart = np.linalg.norm(shown[:, None] - shown, axis=2)[np.triu_indices(len(shown), 1)]
    assert apart.min() > 10


def test_several_recordings_are_seen_at_one_moment(visit, serving, looked_at, tmp_path):
    parameters = Parameters(
        units=Range(2, 2), pixels=(16, 16), size=(16.0, 16.0), frames=200, frame_rate=200.0
    )
    slow = generate(parameters, tmp_path / "slow.zarr", sequences=1, workers=1, pool="threads")
    paths = [looked_at.recording, slow, looked_at.units]
    with serving([str(getattr(one, "location", one)) for one in paths]) as server:
        page = visit(server)
        stages = page.locator(".stage")
        assert stages.count() == 2
        boxes = [stages.nth(n).bounding_box() for n in range(2)]
        assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] or (
            boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
        )
        page.locator("#frame").fill("81")  # 0.2025 s
        wait_for_frame(page, 81)
        page.wait_for_selector('canvas[data-shown="0/velocity/40"]')
        assert page.locator("#table tr[data-unit]").count() == 4
        page.keyboard.press("ArrowDown")
        row, column = only_pixel(slow.read("territory", 0)[:2] > 0.5, 1)
        box = boxes[1]
        page.mouse.click(box["x"] + (column + 0.5) * box["width"] / 16,
                         box["y"] + (row + 0.5) * box["height"] / 16)  # fmt: skip
        assert [state(page, name) for name in ("recording", "set", "unit")] == [1, 0, 1]
        assert page.locator("#name").inner_text() == "slow.zarr"
        assert page.locator("#table tr[data-unit]").count() == 2
        page.wait_for_selector("#detail .neighbours td")
        page.keyboard.press("ArrowRight")  # a frame of this one
        page.wait_for_selector('canvas[data-shown="0/velocity/41"]')
        wait_for_frame(page, 82)
        page.keyboard.press("3")
        page.wait_for_selector('canvas[data-shown="0/reconstruction/41"]')
        page.keyboard.press("PageDown")  # the other has one sequence alone
        page.keyboard.press("r")
        page.keyboard.press("PageDown")
        wait_for_frame(page, 82, "reconstruction", 1)
        page.wait_for_selector('canvas[data-shown="0/reconstruction/41"]')
        assert [state(page, name) for name in ("recording", "set")] == [0, 1]
        page.close()


def test_a_link_on_another_page_leads_here(visit, client):
    page = visit()
    page.context.clear_cookies()
    page.goto("about:blank")
    page.set_content(f'<a href="{client.address}">look</a>')
    page.locator("a").click()
    page.wait_for_selector("body.ready")
    wait_for_frame(page, 0)
    assert "token" not in page.url


def test_names_from_outside_are_texts(visit):
    page = visit()
    assert page.locator("#name").inner_text() == "<i>&.zarr"
    assert page.locator("#name i").count() == 0


def test_the_page_says_what_becomes_of_a_store(visit, serving, looked_at, tmp_path, monkeypatch):
    from musim.cli.viewing import watching

    monkeypatch.setattr(watching, "OFTEN", 0.0)
    place = shutil.copytree(looked_at.recording.location.path, tmp_path / "seen.zarr")
    with serving([str(place)]) as server:
        page = visit(server)
        place.rename(tmp_path / "elsewhere.zarr")
        page.keyboard.press("PageDown")
        page.wait_for_selector("#trouble:not([hidden])")
        assert "found no store there any more" in page.locator("#trouble").inner_text()
        (tmp_path / "elsewhere.zarr").rename(place)
        page.locator("#trouble button").click()
        page.wait_for_selector("body.ready")
        wait_for_frame(page, 0)
        assert page.locator("#trouble").is_hidden()
    page.keyboard.press("PageDown")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "musim view has ended" in page.locator("#trouble").inner_text()
    # What the browser itself says of answers that refuse, and of none.
    expected = ("status of 410", "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET")
    page.troubles[:] = [one for one in page.troubles if not any(w in one for w in expected)]
