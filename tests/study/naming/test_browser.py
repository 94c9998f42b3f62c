"""A person names 100 maps in Chromium, by mouse and by keyboard alone, while the server is killed and started again.

With QSCORE_SCREENSHOTS=DIR the pages are photographed into that folder.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qscore.study.naming import simulate
from qscore.study.naming.actions import read_action
from qscore.study.naming.folder import Group, NamingStudy
from qscore.study.naming.relations import Relations
from qscore.study.naming.state import History, fold
from qscore.study.naming.store import NamingStore
from tests.study.naming.conftest import PARTS, SECRETS
from tests.study.naming.playing import ACTIVATIONS, play
from tests.study.server import Server

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
STATE = """state => ({
  concepts: state.concepts.map(one => [one.id, one.name, [...one.members].sort()]),
  discarded: [...state.discarded].sort(),
})"""
FOLD = f"""async logs => {{
  const {{ fold }} = await import("/static/naming-state.js");
  return logs.map(fold).map(h => [({STATE})(h.present), h.past.length, h.future.length, h.done]);
}}"""
REPLAY = f"""async ([base, actions]) => {{
  const {{ fold }} = await import("/static/naming-state.js"), {{ replay }} = await import("/static/naming-replay.js");
  const items = actions.map((action, i) => ({{ number: i + 1, client_id: String(i), action }}));
  const {{ history: h, items: again, leftOut }} = replay(fold(base), base.length, items);
  const end = [({STATE})(h.present), h.past.length, h.future.length, h.done];
  return {{ actions: again.map(one => one.action), leftOut, end }};
}}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Person:
    """Someone with a browser, who knows which part of the bird each mark shows."""

    def __init__(self, chromium: Any, study: NamingStudy, width: int = 1280, height: int = 800) -> None:
        self.store, self.server = NamingStore(study), Server(study.frame.folder)
        self.server.start()
        self.number = self.store.annotators.add("Ada")
        self.link = self.server.link(self.number)
        self.width = width
        context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=width < 600)
        self.page = context.new_page()
        self.traffic: list[str] = []
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("response", lambda response: self.traffic.append(f"{response.url} {response.headers}"))
        self.group: Group = self.store.groups(self.number)[0]
        self.page.goto(self.link)

    def begin(self) -> None:
        """Agrees, and opens the first group."""
        self.page.click("text=I agree")
        self.page.click(".groups a")
        self.page.wait_for_selector("li.map:focus")

    def parts(self, part: str) -> list[str]:
        """The keys of a part that are unlabelled, in the order of the page."""
        return [
            key for key in self.list("unlabelled") if self.group.by_key[key].feature == f"secret-feature-{part}"
        ]  # fmt: skip

    def list(self, place: str) -> list[str]:
        query = (
            f"[...document.querySelectorAll('section[data-place=\"{place}\"] [data-key]')].map(one => one.dataset.key)"
        )
        return list(self.page.evaluate(query))

    def saved(self) -> None:
        self.page.wait_for_selector("[data-saving=saved]")

    def state(self) -> Any:
        return self.page.evaluate(f"({STATE})(naming.state)")

    def photograph(self, name: str) -> None:
        folder = os.environ.get("QSCORE_SCREENSHOTS")
        if folder:
            self.page.wait_for_load_state("networkidle")
            self.page.screenshot(path=str(Path(folder) / f"naming-{name}-{self.width}.png"))

    def assert_kept(self) -> None:
        """The page, the server and a fresh page show the same."""
        self.saved()
        assert self.state() == plain(self.store.history(self.number, self.group.key))[0]

    def close(self) -> None:
        self.page.context.close()
        self.server.kill()
        assert self.problems == []
        assert not [line for line in self.traffic if any(secret in line for secret in SECRETS)]


def plain(history: History) -> list[Any]:
    state = history.present
    concepts = [[one.id, one.name, sorted(one.members)] for one in state.concepts]
    shown = {"concepts": concepts, "discarded": sorted(state.discarded)}
    return [shown, len(history.past), len(history.future), history.done]


@pytest.fixture
def person(chromium: Any, make_naming: Callable[..., NamingStudy]) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def make(*sizes: int, **options: Any) -> Person:
        people.append(Person(chromium, make_naming(*sizes), **options))
        return people[-1]

    yield make
    for each in people:
        each.close()


@pytest.mark.slow
def test_a_hundred_maps_are_named_by_mouse(person: Callable[..., Person]) -> None:
    ada = person(100)
    page = ada.page
    page.click("text=I agree")
    ada.photograph("groups")
    page.click(".groups a")
    page.wait_for_selector("li.map")
    ada.photograph("start")
    for part in PARTS:
        keys = ada.parts(part)
        for i, key in enumerate(keys[:4]):
            page.click(f'[data-key="{key}"]', modifiers=["Control"] if i else [])
        page.click("#selection >> text=New concept")
        page.fill("#choose-name", part)
        if part == "tail":
            ada.photograph("name")
        page.click("#choose-ok")
        for i, key in enumerate(keys[4:]):
            page.click(f'[data-key="{key}"]', modifiers=["Control"] if i else [])
        entry = page.locator(".concept", has_text=part)
        if part in ("head", "wing"):
            page.drag_and_drop(f'[data-key="{keys[5]}"]', f'.concept:has-text("{part}")')
        else:
            entry.click()
        page.wait_for_selector("#selection", state="hidden")
        assert entry.locator(".n").inner_text() == str(len(keys))
    noise = ada.list("unlabelled")
    page.click(f'[data-key="{noise[0]}"]')
    page.click(f'[data-key="{noise[-1]}"]', modifiers=["Shift"])
    assert page.inner_text("#count") == f"{len(noise)} selected"
    page.click("#selection >> text=Discard")
    assert ada.list("discarded") == noise
    ada.assert_kept()
    before = ada.state()

    ada.server.kill()
    page.click("section:has(h2:text('beak')) >> text=Merge")
    page.click("#choose-list >> text=head")
    page.wait_for_selector("[data-saving=away]")
    page.click("section:has(h2:text('tail')) >> text=Rename")
    page.fill("#choose-name", "end  of the bird")
    page.keyboard.press("Enter")
    ada.photograph("away")
    assert len(ada.store.history(ada.number, ada.group.key).past) == 11, "the server is away"
    ada.server.start()
    ada.assert_kept()
    assert [one[1] for one in ada.state()["concepts"]] == ["head", "wing", "end of the bird", "feet"]
    merged = ada.state()

    page.click("#undo")
    page.click("#undo")
    assert ada.state() == before
    page.click("#redo")
    page.click("#redo")
    assert ada.state() == merged
    ada.saved()
    page.reload()
    page.wait_for_selector("li.map")
    ada.assert_kept()
    assert ada.state() == merged
    page.click(f'[data-key="{ada.list("c1")[0]}"]')
    page.click(f'[data-key="{ada.list("c1")[2]}"]', modifiers=["Shift"])
    page.evaluate("scrollTo(0, 0)")
    ada.photograph("page")
    page.click("#selection >> text=Compare")
    assert page.locator("#pairs figure").count() == 3
    ada.photograph("compare")
    page.click("#look >> text=Close")
    page.click("#done")
    page.wait_for_selector("h1:text('Thank you')")
    assert ada.store.history(ada.number, ada.group.key).done


@pytest.mark.slow
def test_a_hundred_maps_are_named_by_keyboard_alone(person: Callable[..., Person]) -> None:
    ada = person(100)
    page, keyboard = ada.page, ada.page.keyboard
    page.wait_for_selector("button:focus")
    keyboard.press("Enter")
    page.wait_for_selector(".groups")
    keyboard.press("Tab")
    keyboard.press("Enter")
    page.wait_for_selector("li.map:focus")
    numbers: dict[str, str] = {}
    here = "document.activeElement.dataset.key"
    for turn in range(100):
        part = ada.group.by_key[page.evaluate(here)].feature.rpartition("-")[2]
        if part == "noise":
            keyboard.press("d")
        elif part in numbers:
            keyboard.press(numbers[part])
        else:
            keyboard.press("Space")
            keyboard.press("n")
            keyboard.type(part)
            keyboard.press("Enter")
            numbers[part] = str(len(numbers) + 1)
        if turn == 40:
            ada.server.kill()
        if turn == 60:
            page.wait_for_selector("[data-saving=away]")
            ada.server.start()
        if turn == 80:
            ada.saved()
            page.reload()
            page.wait_for_selector("li.map:focus")
    assert ada.list("unlabelled") == []
    ada.assert_kept()
    for part, number in numbers.items():
        place = ada.state()["concepts"][int(number) - 1]
        assert place[1] == part
        assert {ada.group.by_key[key].feature for key in place[2]} == {f"secret-feature-{part}"}
    end = ada.state()

    for _ in range(100):
        keyboard.press("z")
    assert ada.state() == {"concepts": [], "discarded": []}
    keyboard.press("z")
    assert page.inner_text("#said") == "There is nothing to undo."
    for _ in range(100):
        keyboard.press("Shift+Z")
    assert ada.state() == end
    ada.assert_kept()

    keyboard.press("Home")
    name = page.evaluate("document.activeElement.closest('section').querySelector('h2').firstChild.textContent.trim()")
    keyboard.press("Shift+ArrowRight")
    keyboard.press("Shift+ArrowDown")
    selected = page.evaluate("document.querySelectorAll('[aria-selected=true]').length")
    assert selected >= 3
    other = next(part for part in numbers if part != name)
    keyboard.press("a")
    keyboard.type(other[:3])
    keyboard.press("Enter")
    keyboard.press("r")
    keyboard.type("renamed")
    keyboard.press("Enter")
    keyboard.press("m")
    assert page.evaluate("document.activeElement.id") == "choose-name"
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    keyboard.press("x")
    assert len(ada.state()["concepts"]) == len(numbers) - 2
    keyboard.press("Enter")
    assert page.locator("#pairs figure").count() == 1
    keyboard.press("Escape")
    keyboard.press("?")
    ada.photograph("help")
    keyboard.press("Escape")
    page.wait_for_selector("li.map:focus")
    ada.assert_kept()


def test_on_a_phone_maps_are_tapped_and_nothing_is_wider_than_the_screen(person: Callable[..., Person]) -> None:
    ada = person(24, width=390, height=844)
    page = ada.page
    page.tap("text=I agree")
    page.tap(".groups a")
    page.wait_for_selector("li.map")
    for key in ada.parts("wing")[:2]:
        page.tap(f'[data-key="{key}"]')
    page.tap("#selection >> text=New concept")
    page.fill("#choose-name", "wing")
    page.tap("#choose-ok")
    assert "should have at least 3" in page.inner_text("section:has(h2:text('wing')) .few")
    for key in ada.parts("head")[:3]:
        page.tap(f'[data-key="{key}"]')
    ada.photograph("page")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.tap(".concept:has-text('wing')")
    assert len(ada.list("c1")) == 5
    ada.assert_kept()


def test_two_quick_clicks_look_closely_only_at_one_image(person: Callable[..., Person]) -> None:
    ada = person(9)
    page = ada.page
    ada.begin()
    for turn, tile in enumerate((0, 1)):
        box = page.locator("li.map").nth(tile).bounding_box()
        page.mouse.move(box["x"] + 9, box["y"] + 9)
        page.mouse.down(click_count=turn + 1)
        page.mouse.up(click_count=turn + 1)
    assert not page.evaluate("document.getElementById('look').open")
    page.dblclick("li.map >> nth=1")
    assert page.locator("#look figure").count() == 1


def test_a_second_window_goes_on_from_what_the_first_did(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, address = ada.page, f"{ada.link}/group/{ada.group.key}"
    page.click("text=I agree")
    page.goto(address)
    second = page.context.new_page()
    second.goto(address)
    keys = ada.list("unlabelled")
    for window, name in ((page, "wing"), (second, "beak")):
        window.click(f'[data-key="{keys[0]}"]')
        window.keyboard.press("n")
        window.keyboard.type(name)
        window.keyboard.press("Enter")
        window.wait_for_selector("[data-saving=saved]")
    second.wait_for_selector("text=changed in another window")
    assert second.evaluate("naming.state.concepts.map(one => [one.name, one.members.size])") == [
        ["wing", 0],
        ["beak", 1],
    ]
    second.keyboard.press("n")
    second.keyboard.type("Wing")
    second.keyboard.press("Enter")
    assert "already" in second.inner_text("#choose-warning")
    page.reload()
    page.wait_for_selector("li.map")
    ada.assert_kept()


def test_what_a_closed_window_had_not_sent_is_sent_by_the_next(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, address = ada.page, f"{ada.link}/group/{ada.group.key}"
    page.click("text=I agree")
    page.goto(address)
    key = ada.list("unlabelled")[0]
    ada.server.kill()
    page.focus(f'[data-key="{key}"]')
    page.keyboard.press("d")
    page.wait_for_selector("[data-saving=away]")
    page.close(run_before_unload=False)
    ada.server.start()
    ada.page = page.context.new_page()
    ada.page.goto(address)
    ada.assert_kept()
    assert ada.list("discarded") == [key]


def test_two_windows_without_a_server_lose_nothing(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, address = ada.page, f"{ada.link}/group/{ada.group.key}"
    page.click("text=I agree")
    page.goto(address)
    second = page.context.new_page()
    second.goto(address)
    keys = ada.list("unlabelled")
    ada.server.kill()
    for window, name, mine in ((page, "wing", keys[:2]), (second, "beak", keys[2:4]), (second, "Wing", keys[4:5])):
        for key in mine:
            window.click(f'[data-key="{key}"]', modifiers=["Control"])
        window.keyboard.press("n")
        window.keyboard.type(name)
        window.keyboard.press("Enter")
        window.wait_for_selector("[data-saving=away]")
    for window in (page, second):
        window.close(run_before_unload=False)
    ada.server.start()
    ada.page = page.context.new_page()
    ada.page.goto(f"{ada.link}/next")
    ada.page.wait_for_selector("text=not all saved yet")
    ada.page.click(".groups a")
    ada.assert_kept()
    concepts = {one[1]: set(one[2]) for one in ada.state()["concepts"]}
    assert concepts in ({"wing": set(keys[:2]), "beak": set(keys[2:4])}, {"Wing": {keys[4]}, "beak": set(keys[2:4])})
    assert "1 of the changes made here does not fit" in ada.page.inner_text("#said")
    ada.page.goto(f"{ada.link}/next")
    assert ada.page.locator("text=not all saved yet").count() == 0


@pytest.mark.parametrize(
    ("status", "content_type", "shown"),
    [(200, "text/html", "away"), (404, "text/html", "stuck"), (403, "text/html", "stuck"), (408, "text/html", "away")],
)
def test_only_an_answer_of_this_server_counts_as_kept(
    person: Callable[..., Person], status: int, content_type: str, shown: str
) -> None:
    ada = person(9)
    page = ada.page
    ada.begin()
    page.route("**/act", lambda route: route.fulfill(status=status, content_type=content_type, body="<p>Hotel</p>"))
    key = ada.list("unlabelled")[0]
    page.keyboard.press("d")
    page.wait_for_selector(f"[data-saving={shown}]")
    page.keyboard.press("d")
    page.unroute("**/act")
    page.goto("about:blank")
    page.goto(f"{ada.link}/group/{ada.group.key}")
    ada.assert_kept()
    assert key in ada.list("discarded")
    assert len(ada.list("discarded")) == 2


def test_an_answer_that_was_lost_is_not_counted_twice(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, store = ada.page, ada.store
    ada.begin()
    lost: list[str] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            other = {"do": "create", "name": "of another window", "members": []}
            assert store.append(ada.number, ada.group.key, 2, "another-window", other).outcome == "kept"
            route.abort()

    page.route("**/act", lose)
    page.keyboard.press("d")
    page.wait_for_selector("[data-saving=away]")
    page.keyboard.press("d")
    ada.assert_kept()
    assert (len(ada.list("discarded")), [one[1] for one in ada.state()["concepts"]]) == (2, ["of another window"])


def test_what_does_not_fit_what_is_there_now_does_not_close_the_page(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, address = ada.page, f"{ada.link}/group/{ada.group.key}"
    page.click("text=I agree")
    items = [{"number": 1, "client_id": "before-1", "action": {"do": "undo"}}, {"number": 2, "client_id": "before-2"}]
    for content in (
        json.dumps(items),
        "[{",
        json.dumps([{"number": 1, "client_id": "x" * 9, "action": {"do": "merge"}}]),
    ):
        page.evaluate(
            "([name, text]) => localStorage.setItem(name, text)",
            [f"naming {address.removeprefix(ada.server.url)} x", content],
        )
        page.goto(address)
        page.wait_for_selector("li.map:focus")
        ada.assert_kept()
    assert page.evaluate("localStorage.length") == 0


def test_a_whole_name_is_the_concept_of_this_name_and_its_beginning_can_be_new(person: Callable[..., Person]) -> None:
    ada = person(9)
    page, keyboard = ada.page, ada.page.keyboard
    ada.begin()
    for name in ("wing tip", "wing"):
        keyboard.press("n")
        keyboard.type(name)
        keyboard.press("Enter")
    for typed, chosen in (("wing", "c2"), ("win", "c4")):
        keyboard.press("a")
        keyboard.type(typed)
        if chosen == "c4":
            keyboard.press("ArrowDown")
            keyboard.press("ArrowDown")
        keyboard.press("Enter")
        assert len(ada.list(chosen)) == 1
    assert [one[1] for one in ada.state()["concepts"]] == ["wing tip", "wing", "win"]
    page.locator("#strength").focus()
    keyboard.press("z")
    assert ada.page.evaluate("naming.state.concepts.length") == 2, "letters are keys beside a slider too"
    page.click("#undo")
    keyboard.press("ArrowRight")
    assert page.evaluate("Boolean(document.activeElement.dataset.key)"), "after the mouse, keys are about images"
    keyboard.press("?")
    page.uncheck("#letters")
    keyboard.press("Escape")
    keyboard.press("d")
    assert ada.list("discarded") == []
    keyboard.press("Delete")
    assert len(ada.list("discarded")) == 1
    ada.assert_kept()


def test_five_hundred_maps_load_what_is_in_view_and_draw_what_changed(person: Callable[..., Person]) -> None:
    ada = person(500)
    page = ada.page
    ada.begin()
    page.wait_for_load_state("networkidle")
    assert sum("/map/" in line for line in ada.traffic) < 250, "images far below are not loaded"
    page.evaluate("""() => { window.changes = 0; new MutationObserver(list => {
        for (const one of list) changes += [...one.addedNodes].filter(node => node.matches?.("li.map")).length;
    }).observe(document.getElementById("maps"), {subtree: true, childList: true}); }""")
    page.keyboard.press("d")
    page.keyboard.press("z")
    assert page.evaluate("changes") == 2, "one image there, and back"
    page.click("section[data-place=unlabelled] >> text=Select all")
    page.keyboard.press("n")
    page.keyboard.type("all")
    page.keyboard.press("Enter")
    ada.assert_kept()
    assert len(ada.list("c3")) == 500


def test_names_are_confirmed_by_keyboard(person: Callable[..., Person]) -> None:
    ada = person(24)
    names = {"wing": ("wing", "left wing"), "head": ("head", "face"), "tail": ("tail", "tail")}
    records = []
    for turn in (0, 1):
        members = {part: [one for one in ada.group.activations if one.feature.endswith(part)] for part in names}
        concepts = [
            {"name": names[part][turn], "members": [one.activation_id for one in inside]}
            for part, inside in members.items()
        ]
        records.append({"annotator": turn, "group": ada.group.name, "concepts": concepts})
    assert simulate.play_all(ada.store, records) == (8, 2)
    page = ada.page
    page.goto(ada.server.owner_link())
    ada.photograph("owner")
    page.click("text=Which names mean the same?")
    for key, pair in (("1", "Pair 1 of 2, 2 left"), ("2", "Pair 2 of 2, 1 left")):
        page.wait_for_selector(f"text={pair}")
        page.keyboard.press(key)
        if key == "2":
            ada.photograph("names")
        page.keyboard.press("Enter")
    page.wait_for_selector("text=All 2 pairs")
    rows = Relations(ada.store).table()
    assert [(row["name_a"], row["name_b"], row["relation"]) for row in rows] == [
        ("face", "head", "exact"),
        ("left wing", "wing", "subset"),
    ]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_page_and_the_server_fold_alike(folding: Any, data: st.DataObject) -> None:
    played = [play(data, 20) for _ in range(3)]
    assert folding.evaluate(FOLD, [records for records, _ in played]) == [plain(history) for _, history in played]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_done_again_on_another_state_is_what_the_server_takes(folding: Any, data: st.DataObject) -> None:
    (base, _), (items, alone) = play(data, 12), play(data, 12)
    again, onto = folding.evaluate(REPLAY, [[], items]), folding.evaluate(REPLAY, [base, items])
    assert (again["actions"], again["leftOut"]) == (items, 0)
    assert again["end"] == plain(alone)
    actions = ((number, read_action(one)) for number, one in enumerate([*base, *onto["actions"]], 1))
    assert onto["end"] == plain(fold(actions, frozenset(ACTIVATIONS)))
    assert len(onto["actions"]) + onto["leftOut"] <= len(items)


@pytest.fixture
def folding(person: Callable[..., Person]) -> Any:
    return person(9).page
