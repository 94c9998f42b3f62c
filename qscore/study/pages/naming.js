// The naming page of one group. What a person does is an action: it changes the state here at once (naming-state.js) and
// goes to the server in order (naming-saving.js). The page is drawn from the state and nothing else.
import { DISCARDED, START, UNLABELLED, fold, named, placeOf, step, tidy } from "/static/naming-state.js";
import { Saving } from "/static/naming-saving.js";

const byId = (id) => document.getElementById(id);
const content = JSON.parse(byId("content").textContent);
const address = location.pathname;
const imageOf = new Map(content.maps);
const order = content.maps.map(([key]) => key);
const FEW = 3; // a concept of fewer images is marked

let history = START, number = 0;
let cursor = order[0], anchor = order[0];
let lists = new Map(); // place -> keys, as drawn
const selection = new Set();

// ---- Actions ----------------------------------------------------------------------------------------------------

function act(action, said) {
  if (content.closed) { say("This group is closed for you."); return; }
  leaving = action.do === "done" && action.done;
  history = step(history, ++number, action);
  saving.add(number, action);
  draw();
  say(said);
}

function adopt(actions) {
  history = fold(actions);
  number = actions.length;
}

function moveTo(place, members = chosen()) {
  const moving = members.filter((key) => placeOf(history.present, key) !== place);
  if (!members.length) { say("Select images first."); return; }
  clear();
  if (!moving.length) { draw(); say(`Already in ${titleOf(place)}.`); return; }
  act({ do: "move", members: moving, to: place }, `${images(moving)} to ${titleOf(place)}.`);
}

const commands = {
  undo: () => history.past.length ? act({ do: "undo" }, "Undone.") : say("There is nothing to undo."),
  redo: () => history.future.length ? act({ do: "redo" }, "Done again.") : say("There is nothing to redo."),
  unlabelled: () => moveTo(UNLABELLED),
  discard: () => moveTo(DISCARDED),
  clear: () => { clear(); draw(); say("Nothing selected."); },
  new: () => {
    const members = selection.size ? chosen() : [];
    ask({ title: members.length ? `New concept of ${images(members)}` : "New concept", accept: (name) => create(name, members) });
  },
  add: (typed = "") => {
    const members = chosen();
    if (!members.length) { say("Select images first."); return; }
    ask({
      title: `Put ${images(members)} into`, typed, places: history.present.concepts.map((one) => one.id),
      accept: (name, place) => place ? moveTo(place, members) : create(name, members),
    });
  },
  rename: (place = placeHere()) => onConcept(place, (one) => ask({
    title: `Another name for “${one.name}”`, typed: one.name,
    accept: (name) => {
      const other = named(history.present, name);
      if (other && other.id !== place) return `There is a concept “${other.name}” already. You can merge them.`;
      if (name !== one.name) act({ do: "rename", concept: place, name }, `“${one.name}” is now “${name}”.`);
    },
  })),
  merge: (place = placeHere()) => onConcept(place, (one) => {
    const places = history.present.concepts.map((each) => each.id).filter((id) => id !== place);
    if (!places.length) { say("There is no other concept to merge with."); return; }
    ask({
      title: `Merge “${one.name}” into`, places,
      accept: (name, into) => into
        ? act({ do: "merge", concepts: [place], into }, `“${one.name}” is merged into “${titleOf(into)}”.`)
        : "Choose a concept of the list.",
    });
  }),
  dissolve: (place = placeHere()) => onConcept(place, (one) =>
    act({ do: "delete", concept: place }, `“${one.name}” is dissolved; its images are unlabelled.`)),
  all: (place = placeHere()) => {
    for (const key of lists.get(place)) selection.add(key);
    draw();
    say(`${images([...selection])} selected.`);
  },
  compare: () => look(chosen()),
  overlay: () => {
    const shown = document.documentElement.classList.toggle("plain");
    byId("overlay").setAttribute("aria-pressed", String(!shown));
    say(shown ? "Marks are off." : "Marks are on.");
  },
  help: () => byId("help").showModal(),
  close: () => shut(),
  done: () => act({ do: "done", done: !history.done }, history.done ? "Not finished after all." : "Finished. Thank you."),
};

function create(name, members) {
  const other = named(history.present, name);
  if (other) return `There is a concept “${other.name}” already.`;
  clear();
  act({ do: "create", name, members }, `Concept “${name}” with ${images(members)}.`);
}

function onConcept(place, then) {
  const one = history.present.concepts.find((concept) => concept.id === place);
  one ? then(one) : say("Go to an image of a concept first.");
}

// ---- The selection ----------------------------------------------------------------------------------------------

const tileHere = () => document.activeElement?.closest?.("[data-key]");
const placeHere = () => placeOf(history.present, cursor);
const flat = () => [...lists.values()].flat();

/** Returns what a command is about: what is selected, or else the image that has the focus. */
function chosen() {
  if (selection.size) return order.filter((key) => selection.has(key));
  return tileHere() ? [cursor] : [];
}

function clear() { selection.clear(); }

function select(key, { range = false, toggle = false } = {}) {
  if (range) {
    const all = flat(), [from, to] = [all.indexOf(anchor), all.indexOf(key)].sort((a, b) => a - b);
    if (!toggle) clear();
    for (const each of all.slice(Math.max(from, 0), to + 1)) selection.add(each);
  } else {
    const was = selection.has(key);
    if (!toggle) clear();
    toggle && was ? selection.delete(key) : selection.add(key);
    anchor = key;
  }
  drawSelection();
  say(selection.size ? `${images([...selection])} selected.` : "Nothing selected.");
}

function goTo(key, extend) {
  if (!key) return;
  if (extend && !selection.size) anchor = cursor;
  setCursor(key);
  tiles.get(key).focus();
  if (extend) select(key, { range: true });
}

function setCursor(key) {
  tiles.get(cursor).tabIndex = -1;
  cursor = key;
  tiles.get(key).tabIndex = 0;
}

/** Returns the image above or below: in the same column, also in the section before or after. */
function vertical(step) {
  const sections = [...lists.values()].filter((keys) => keys.length);
  const here = sections.findIndex((keys) => keys.includes(cursor)), keys = sections[here];
  const columns = getComputedStyle(tiles.get(cursor).parentElement).gridTemplateColumns.split(" ").length;
  const at = keys.indexOf(cursor), column = at % columns, rowStart = at - column + step * columns;
  if (rowStart >= 0 && rowStart < keys.length) return keys[Math.min(rowStart + column, keys.length - 1)];
  const next = sections[here + step];
  if (!next) return null;
  return next[Math.min((step < 0 ? Math.floor((next.length - 1) / columns) * columns : 0) + column, next.length - 1)];
}

// ---- Drawing ----------------------------------------------------------------------------------------------------

const tiles = new Map(order.map((key, i) => [key, tile(key, i + 1)]));
const sections = new Map();

function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function layers(key, lazy) {
  const options = { alt: "", draggable: "false", ...(lazy && { loading: "lazy", decoding: "async" }) };
  return [
    element("img", { src: `${address}/image/${imageOf.get(key)}`, ...options }),
    element("img", { src: `${address}/map/${key}`, class: "heat", ...options }),
  ];
}

function tile(key, position) {
  return element("li", {
    role: "option", class: "map", draggable: "true", tabindex: "-1", "aria-selected": "false",
    "aria-label": `Image ${position}`, "data-key": key,
  }, ...layers(key, true));
}

function section(place) {
  const heading = element("h2", { id: `title-${place}` });
  const tools = element("span", { class: "row" }, button("all", "Select all", place));
  if (place !== UNLABELLED && place !== DISCARDED) {
    tools.append(button("rename", "Rename", place), button("merge", "Merge", place), button("dissolve", "Dissolve", place));
  }
  const few = element("span", { class: "few" });
  const list = element("ul", { role: "listbox", "aria-multiselectable": "true", "aria-labelledby": `title-${place}` });
  return element("section", { "data-place": place }, element("header", {}, heading, few, tools), list);
}

function button(command, text, place) {
  return element("button", { class: "small quiet", "data-do": command, "data-of": place }, text);
}

/** Draws the state; sections and images that stay where they are are not touched, which keeps 500 of them smooth. */
function draw() {
  const hadFocus = Boolean(tileHere()) || document.activeElement === document.body;
  const state = history.present, before = lists;
  lists = new Map([UNLABELLED, ...state.concepts.map((one) => one.id), DISCARDED].map((place) => [place, []]));
  for (const key of order) lists.get(placeOf(state, key)).push(key);
  keepCursor(before);
  for (const [place, drawn] of sections) if (!lists.has(place)) { drawn.remove(); sections.delete(place); }
  let previous = byId("hint");
  for (const [place, keys] of lists) {
    if (!sections.has(place)) sections.set(place, section(place));
    const drawn = sections.get(place), list = drawn.lastChild;
    if (previous.nextElementSibling !== drawn) previous.after(drawn);
    if (list.children.length !== keys.length || keys.some((key, i) => list.children[i].dataset.key !== key)) {
      list.replaceChildren(...keys.map((key) => tiles.get(key)));
    }
    drawHeading(drawn, place, keys);
    previous = drawn;
  }
  drawConcepts();
  drawSelection();
  byId("undo").disabled = !history.past.length;
  byId("redo").disabled = !history.future.length;
  byId("done").setAttribute("aria-pressed", String(history.done));
  byId("done").textContent = history.done ? "✓ Finished" : "Finish";
  if (hadFocus && !document.querySelector("dialog[open]")) tiles.get(cursor).focus({ preventScroll: true });
}

/** Where the image with the focus went elsewhere, its neighbour gets the focus, so that one can go on from there. */
function keepCursor(before) {
  const [place, keys] = [...before].find(([, each]) => each.includes(cursor)) ?? [];
  const left = new Set(lists.get(place) ?? []);
  if (!keys || !left.size || left.has(cursor)) { setCursor(cursor); return; }
  const at = keys.indexOf(cursor);
  setCursor([...keys.slice(at + 1), ...keys.slice(0, at).reverse()].find((key) => left.has(key)));
}

function drawHeading(drawn, place, keys) {
  const [heading, few] = drawn.firstChild.children, count = new Set(keys.map((key) => imageOf.get(key))).size;
  const isFew = isConcept(place) && count < FEW;
  heading.textContent = `${titleOf(place)} `;
  heading.append(element("span", { class: "soft" }, String(keys.length)));
  few.textContent = isFew ? `of ${count} image${count === 1 ? "" : "s"}: a concept should have at least ${FEW}` : "";
  drawn.lastChild.hidden = !keys.length;
  drawn.classList.toggle("empty", !keys.length);
}

function drawConcepts() {
  const entries = [...lists].map(([place, keys]) => {
    const at = history.present.concepts.findIndex((one) => one.id === place);
    const key = place === UNLABELLED ? "u" : place === DISCARDED ? "d" : at < 9 ? String(at + 1) : "";
    const few = isConcept(place) && new Set(keys.map((each) => imageOf.get(each))).size < FEW;
    const entry = element("button", { class: `concept${few ? " is-few" : ""}`, "data-place": place });
    entry.append(element("kbd", { class: "wide-only" }, key), element("span", { class: "name" }, titleOf(place)), element("span", { class: "n" }, String(keys.length)));
    if (few) entry.append(element("span", { class: "hidden" }, `fewer than ${FEW} images`));
    return entry;
  });
  const make = element("button", { class: "concept make", "data-do": "new", "data-place": "new" }, element("kbd", { class: "wide-only" }, "n"), "New concept");
  entries.splice(-1, 0, make);
  const focused = document.activeElement?.closest?.("#concepts [data-place]")?.dataset.place;
  byId("concepts").replaceChildren(...entries);
  if (focused) byId("concepts").querySelector(`[data-place="${focused}"]`)?.focus();
}

function drawSelection() {
  for (const [key, drawn] of tiles) drawn.setAttribute("aria-selected", String(selection.has(key)));
  byId("selection").hidden = !selection.size;
  byId("count").textContent = `${selection.size} selected`;
  document.documentElement.classList.toggle("selecting", selection.size > 0);
}

const isConcept = (place) => place !== UNLABELLED && place !== DISCARDED;
const images = (keys) => `${keys.length} image${keys.length === 1 ? "" : "s"}`;

function titleOf(place) {
  if (place === UNLABELLED) return "Unlabelled";
  if (place === DISCARDED) return "Discarded";
  return history.present.concepts.find((one) => one.id === place).name;
}

function say(text) {
  const said = byId("said");
  said.textContent = text && said.textContent === text ? `${text}\u00a0` : text; // the same words again are news again
}

// ---- Dialogs ----------------------------------------------------------------------------------------------------

/** Asks for a name, or for one of some concepts by its first letters; `accept` says what is wrong, or nothing. */
let question = null;

function ask({ title, typed = "", places = null, accept }) {
  question = { places, accept, at: 0 };
  byId("choose-title").textContent = title;
  byId("choose-label").textContent = places ? "First letters" : "Name";
  byId("choose-name").value = typed;
  byId("choose-name").setAttribute("role", places ? "combobox" : "textbox");
  drawOptions();
  byId("choose").showModal();
  byId("choose-name").focus();
  if (!places) byId("choose-name").select();
}

function drawOptions() {
  const typed = tidy(byId("choose-name").value).toLowerCase();
  const starts = (name) => name.toLowerCase().startsWith(typed) || name.toLowerCase().split(" ").some((word) => word.startsWith(typed));
  question.options = (question.places ?? []).filter((place) => starts(titleOf(place)));
  question.at = Math.max(0, Math.min(question.at, question.options.length - 1));
  byId("choose-list").replaceChildren(...question.options.map((place, i) =>
    element("li", { role: "option", id: `option-${i}`, "data-option": i, "aria-selected": String(i === question.at) }, titleOf(place))));
  byId("choose-name").setAttribute("aria-activedescendant", question.options.length ? `option-${question.at}` : "");
  byId("choose-warning").textContent = "";
}

function answer() {
  const name = tidy(byId("choose-name").value), place = question.options[question.at];
  const wrong = !name && !place ? "Type a name." : question.accept(name, place);
  if (wrong) { byId("choose-warning").textContent = wrong; return; }
  shut();
}

/** Closes the dialog that is open. The browser puts the focus back where it was; it belongs where one goes on. */
function shut() {
  const here = cursor;
  document.querySelector("dialog[open]").close();
  setCursor(here);
  tiles.get(here).focus({ preventScroll: true });
}

byId("choose-name").addEventListener("input", () => { question.at = 0; drawOptions(); });
byId("choose-ok").addEventListener("click", answer);
byId("choose-list").addEventListener("click", (event) => {
  const option = event.target.closest("[data-option]");
  if (option) { question.at = Number(option.dataset.option); answer(); }
});
byId("choose-name").addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter") { event.preventDefault(); answer(); }
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (way && question.options.length) { event.preventDefault(); question.at += way; drawOptions(); }
});
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); shut(); });
}

/** Shows images large, each as it is and with its marks. */
function look(keys) {
  if (!keys.length) { say("Select images first."); return; }
  byId("look-title").textContent = keys.length === 1 ? tiles.get(keys[0]).getAttribute("aria-label") : `${images(keys)} side by side`;
  byId("pairs").replaceChildren(...keys.map((key) => {
    const caption = `${tiles.get(key).getAttribute("aria-label")} · ${titleOf(placeOf(history.present, key))}`;
    const [original, heat] = layers(key, false);
    const pair = element("div", { class: "pair" }, element("span", { class: "map" }, original.cloneNode()), element("span", { class: "map" }, original, heat));
    return element("figure", {}, pair, element("figcaption", {}, caption));
  }));
  byId("pairs").classList.toggle("one", keys.length === 1);
  if (!byId("look").open) byId("look").showModal();
}

// ---- Mouse, finger, keys ----------------------------------------------------------------------------------------

let clicked = []; // the latest two images

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-do], [data-key], .concept");
  clicked = [clicked.at(-1), event.target.closest("[data-key]")];
  if (!target) return;
  if (target.dataset.do) commands[target.dataset.do](target.dataset.of);
  else if (target.dataset.key) {
    goTo(target.dataset.key);
    select(target.dataset.key, { range: event.shiftKey, toggle: event.ctrlKey || event.metaKey || event.pointerType === "touch" });
  } else if (selection.size) moveTo(target.dataset.place);
  else sections.get(target.dataset.place).scrollIntoView({ block: "start" });
});
byId("maps").addEventListener("dblclick", () => { // quick taps on two images, between which the page moved, are none
  if (clicked[0] && clicked[0] === clicked[1]) look([clicked[0].dataset.key]);
});
byId("maps").addEventListener("focusin", (event) => { const at = event.target.closest("[data-key]"); if (at) setCursor(at.dataset.key); });

document.addEventListener("dragstart", (event) => {
  const dragged = event.target.closest?.("[data-key]");
  if (!dragged) return;
  if (!selection.has(dragged.dataset.key)) select(dragged.dataset.key);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", images([...selection]));
  event.dataTransfer.setDragImage(byId("count"), 0, 0);
});
document.addEventListener("dragover", (event) => {
  const over = event.target.closest?.("[data-place]");
  for (const marked of document.querySelectorAll(".over")) if (marked !== over) marked.classList.remove("over");
  if (over) { event.preventDefault(); over.classList.add("over"); }
});
document.addEventListener("drop", (event) => {
  const over = event.target.closest?.("[data-place]");
  if (!over) return;
  event.preventDefault();
  over.dataset.place === "new" ? commands.new() : moveTo(over.dataset.place);
});
document.addEventListener("dragend", () => { for (const marked of document.querySelectorAll(".over")) marked.classList.remove("over"); });

const LETTERS = {
  n: "new", a: "add", u: "unlabelled", d: "discard", c: "compare", r: "rename", m: "merge", x: "dissolve", Delete: "dissolve",
  o: "overlay", z: "undo", Z: "redo", "?": "help", Escape: "clear",
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey) {
    const command = { a: "all", z: event.shiftKey ? "redo" : "undo", Z: "redo", y: "redo" }[event.key];
    return command && (() => commands[command]());
  }
  const all = flat(), at = all.indexOf(cursor), extend = event.shiftKey, onTile = Boolean(tileHere());
  const to = onTile && { ArrowRight: () => all[at + 1], ArrowLeft: () => all[at - 1], ArrowDown: () => vertical(1), ArrowUp: () => vertical(-1),
    Home: () => all[0], End: () => all.at(-1) }[event.key];
  if (to) return () => goTo(to(), extend);
  if (event.key === " " && onTile) return () => select(cursor, { toggle: true, range: extend });
  if (event.key === "Enter" && onTile) return () => look([cursor]);
  if (event.key === "+" || event.key === "-") return () => strengthen(event.key === "+" ? 10 : -10);
  if (LETTERS[event.key]) return () => commands[LETTERS[event.key]]();
  if (/^[1-9]$/.test(event.key)) {
    const one = history.present.concepts[Number(event.key) - 1];
    return () => one ? moveTo(one.id) : say(`There is no concept ${event.key} yet.`);
  }
  if (/^\p{L}$/u.test(event.key)) return () => commands.add(event.key);
  return null;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.target.closest("input")) return;
  const opened = document.querySelector("dialog[open]");
  if (opened) {
    const way = opened.id === "look" && byId("pairs").children.length === 1 && { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = way && flat()[flat().indexOf(cursor) + way];
    if (next) { setCursor(next); look([next]); }
    if (opened.id === "look" && event.key === "o") commands.overlay();
    return;
  }
  const what = onKey(event);
  if (what) { event.preventDefault(); what(); }
});

function strengthen(by) {
  byId("strength").value = Number(byId("strength").value) + by;
  applyView();
  say(`Marks at ${byId("strength").value} percent.`);
}

function applyView() {
  document.documentElement.style.setProperty("--strength", byId("strength").value / 100);
  document.documentElement.style.setProperty("--size", `${byId("size").value}px`);
}
for (const id of ["strength", "size"]) byId(id).addEventListener("input", applyView);

// ---- Saving -----------------------------------------------------------------------------------------------------

const WORDS = { saved: "Saved", saving: "Saving …", away: "Not saved yet. Trying again …" };
let leaving = false;

function heard(event, reply) {
  if (event === "behind") {
    leaving = false;
    clear();
    if (reply.actions) { adopt(reply.actions); draw(); } else content.closed = true;
    say(reply.message);
    return;
  }
  byId("saving").dataset.saving = event;
  // Words that come and go with every action would be read aloud: while it is saving for a moment, they stay.
  if (event !== "saving") byId("saving-text").textContent = WORDS[event];
  if (event === "saved" && leaving) location.assign(`${address.split("/").slice(0, 3).join("/")}/next`);
}

const saving = new Saving({ address, form: content.form, storage: `naming ${address}`, heard });
const waiting = saving.queue.filter((item) => item.number > content.actions.length);
adopt([...content.actions, ...waiting.map((item) => item.action)]);
applyView();
draw();
goTo(flat()[0]);
if (content.closed) say("This group is closed: you have seen how others named.");
saving.send();
window.naming = { get state() { return history.present; }, get history() { return history; } }; // for whoever looks inside
