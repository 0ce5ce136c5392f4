"""Pages in a real browser: nothing goes wrong, nothing is fetched, all is seen, keys work."""

import pytest

from musim.cli.pages.evaluation import evaluation_page
from musim.cli.pages.findings import read_findings
from musim.cli.pages.recording import recording_page
from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.identification.explanation import explained
from musim.training.identification.results import recording_of
from musim.training.identification.rows import IdentificationEvaluation
from tests.browsers import headless


@pytest.fixture(scope="module")
def folder(tmp_path_factory, store_of_units, nearly):
    """Return a folder with the pages, all made before the browser starts."""
    folder = tmp_path_factory.mktemp("pages")
    parameters = Parameters(units=Range(5, 5), pixels=(32, 32), size=(32.0, 32.0), frames=400)
    source = generate(
        parameters, folder / "<i>&.zarr", sequences=1, kind="rendered", workers=1, pool="threads"
    )
    found = explained(recording_of(source, 0), nearly(source.truth(0)))
    store = store_of_units(folder / "units.zarr", source, [found])
    page = recording_page(read_findings(store, 0))
    (folder / "recording.html").write_text(page, encoding="utf-8")
    rows = [{"units": n, "snr": 10.0, "sequence": 0, "matches": n, "predictions": n, "seconds": 1,
             "train_matches": n,
             **dict.fromkeys(("train_recall", "train_precision", "train_match_correlation",
                              "train_chance", "firing_agreement", "firing_chance",
                              "detection_recall_iou03", "detection_recall", "detection_precision",
                              "mask_recall", "mask_precision", "rate_of_agreement",
                              "firing_recall"), 1 - n / 20)}
            for n in (1, 5, 10)]  # fmt: skip
    page = evaluation_page(
        IdentificationEvaluation("refine", "ali-2020", "units", rows, []), "folder", {}
    )
    (folder / "evaluation.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(folder):
    """Return a headless browser, without which these tests are skipped."""
    with headless() as opened:
        yield opened


@pytest.fixture
def visit(browser, folder):
    """Return a function that opens a page; at the end, all must have gone well and stayed here."""
    contexts, troubles = [], []

    def open_page(name="recording", width=1280, **settings):
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        url = (folder / f"{name}.html").as_uri()
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url == url or request.url.startswith("data:")
                else troubles.append(f"asks for {request.url}")
            ),
        )
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def lit(page, selector):
    """Return the keys of the units that stand out in some part of the page."""
    script = "(all) => all.map((one) => one.dataset.key)"
    return page.eval_on_selector_all(f"{selector} [data-key].lit", script)


def focused(page):
    """Return where the focus is: the part of the page, and the unit."""
    return page.evaluate(
        """() => {
          const here = document.activeElement;
          return [here.closest("[data-picker]")?.dataset.picker, here.dataset.key];
        }"""
    )


def tab_to(page, picker):
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page)[0] == picker and focused(page)[1] is not None:
            return
    pytest.fail(f"Tab does not reach {picker}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", ["recording", "evaluation"])
def test_figures_and_tables_are_there(visit, name, width, scheme):
    page = visit(name, width, color_scheme=scheme)
    shown = page.locator(
        "svg.map, svg.remainder, .row svg, img.chart, table, .pixels, .unit path.found, h1"
    )
    assert shown.count() > (15 if name == "recording" else 4)
    for index in range(shown.count()):
        box = shown.nth(index).bounding_box()
        assert box["width"] > 5
        assert box["height"] > 5
    # Only tables may be wider than the screen, and those scroll by themselves.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    loaded = "(all) => all.every((one) => one.complete && one.naturalWidth > 100)"
    assert page.eval_on_selector_all("img", loaded)


def test_the_name_in_the_heading_is_text(visit):
    page = visit()
    assert page.locator("h1").inner_text() == "<i>&.zarr, sequence 0"
    assert page.locator("h1 i").count() == 0


def test_letters_stay_legible_on_a_narrow_screen(visit):
    page = visit(width=400)
    height = page.locator(".map .axes text").first.bounding_box()["height"]
    assert height > 9


def test_keys_pick_a_unit_everywhere(visit):
    page = visit()
    tab_to(page, "map")
    assert focused(page) == ["map", "u0"]
    assert lit(page, ".map") == ["u0", "u0"]  # the outline and its label
    assert lit(page, ".rows") == ["u0", "u0"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert focused(page) == ["map", "u2"]
    page.keyboard.press("ArrowUp")
    assert focused(page) == ["map", "u1"]
    page.keyboard.press("Enter")
    pressed = page.locator("[aria-pressed=true]")
    # In the map, the trains, the rates and the table.
    keys = "(all) => all.map((one) => one.dataset.key)"
    assert page.eval_on_selector_all("[aria-pressed=true]", keys) == ["u1"] * 4
    assert page.locator("body.lighting").count() == 1
    # What is kept stays when the focus has gone elsewhere.
    page.evaluate("document.activeElement.blur()")
    assert lit(page, ".rows") == ["u1", "u1"]
    assert page.locator("tr.lit").get_attribute("data-key") == "u1"
    page.keyboard.press("Escape")
    assert pressed.count() == 0
    assert lit(page, "body") == []
    assert page.locator("body.lighting").count() == 0


def test_arrows_go_round_and_to_the_ends(visit):
    page = visit()
    tab_to(page, "trains")
    assert focused(page) == ["trains", "u0"]
    seen = []
    for key in ("ArrowUp", "ArrowDown", "End", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        seen.append(focused(page)[1])
    # The last row is the true unit that was missed.
    assert seen == ["t4", "u0", "t4", "u0", "t4"]
    assert lit(page, ".map") == ["t4", "t4"]
    page.keyboard.press(" ")
    assert page.locator("[data-picker=missed] [aria-pressed=true]").count() == 1


def test_the_focus_is_seen(visit):
    page = visit()
    tab_to(page, "map")
    thick = "(one) => getComputedStyle(one).strokeWidth"
    here = page.locator(".map .unit:focus .found").evaluate(thick)
    there = page.locator(".map .unit:not(:focus) .found").first.evaluate(thick)
    assert float(here.removesuffix("px")) >= 2 * float(there.removesuffix("px"))
    tab_to(page, "trains")
    outline = "(one) => getComputedStyle(one).outlineStyle"
    assert page.locator(".row:focus").evaluate(outline) == "solid"


def test_the_pointer_lights_and_a_click_keeps(visit):
    page = visit()
    page.locator("[data-picker=trains] .row[data-key=u2]").hover()
    assert lit(page, ".map") == ["u2", "u2"]
    assert lit(page, ".pair") == ["u2", "u2"]
    page.locator("h1").hover()
    assert lit(page, "body") == []
    page.locator(".map .label[data-key=u3]").click()
    page.locator("h1").hover()
    assert lit(page, ".rows") == ["u3", "u3"]
    page.evaluate("document.dispatchEvent(new PointerEvent('pointerleave'))")
    assert lit(page, ".rows") == ["u3", "u3"]
    assert (
        page.locator("[data-picker=rates] .row[aria-pressed=true]").get_attribute("data-key")
        == "u3"
    )
    page.locator("[data-picker=units] button[data-key=u3]").click()
    assert page.locator("[aria-pressed=true]").count() == 0


def test_others_are_dimmed_but_stay_visible(visit):
    page = visit()
    page.locator("[data-picker=trains] .row[data-key=u2]").hover()
    opacity = "(one) => Number(getComputedStyle(one).opacity)"
    assert page.locator(".map .unit[data-key=u2]").evaluate(opacity) == 1
    assert 0.1 < page.locator(".map .unit[data-key=u1]").evaluate(opacity) < 0.5


def column(page, place):
    return page.eval_on_selector_all(
        f"[data-picker=units] tbody tr > :nth-child({place})",
        "(all) => all.map((one) => one.dataset.value)",
    )


def test_headings_sort_the_table_by_keys(visit):
    page = visit()
    heads = page.locator("[data-picker=units] thead th")
    names = [text.strip() for text in heads.all_inner_texts()]
    place = names.index("Area (mm²)") + 1
    heads.nth(place - 1).locator("button").focus()
    page.keyboard.press("Enter")
    areas = [float(value) for value in column(page, place)]
    assert areas == sorted(areas)
    assert heads.nth(place - 1).get_attribute("aria-sort") == "ascending"
    assert heads.nth(0).get_attribute("aria-sort") == "none"
    page.keyboard.press(" ")
    assert [float(value) for value in column(page, place)] == sorted(areas, reverse=True)
    assert heads.nth(place - 1).get_attribute("aria-sort") == "descending"
    # Numbers that are not known stand last whichever way.
    place = names.index("Mask IoU") + 1
    for _ in range(2):
        heads.nth(place - 1).locator("button").click()
        assert column(page, place)[-1] == ""
    first = page.locator("[data-picker=units] tbody [data-pick]").first
    assert first.get_attribute("tabindex") == "0"


@pytest.mark.parametrize("name", ["train-means", "means"])
def test_conditions_of_an_evaluation_are_sorted_as_numbers(visit, name):
    page = visit("evaluation")
    head = page.locator(f"[data-picker={name}] thead th button").nth(0)
    head.click()
    heads = f"[data-picker={name}] tbody tr > :first-child"
    cells = "(all) => all.map((one) => one.textContent)"
    assert page.eval_on_selector_all(heads, cells) == ["10", "5", "1"]
    head.click()
    assert page.eval_on_selector_all(heads, cells) == ["1", "5", "10"]


def test_without_scripts_all_is_shown(visit):
    page = visit(java_script_enabled=False)
    assert page.locator(".map .unit").count() == 6
    assert page.locator(".row").count() == 2 * 6
    assert page.locator(".help").is_hidden()
    assert page.locator("[data-picker=units] tbody tr").count() == 5


def test_help_is_shown_where_scripts_run(visit):
    assert visit().locator(".help").is_visible()


def test_print_shows_the_figures_on_white(visit):
    page = visit(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".help").is_hidden()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.locator("svg.map").bounding_box()["height"] > 100
    assert page.pdf().startswith(b"%PDF")
