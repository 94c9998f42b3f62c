// The naming page of one group. What a person does is an action: it changes the state here at once (naming-state.js) and
// goes to the server in order (naming-saving.js). The page is drawn from the state and nothing else (naming-board.js).
import { DISCARDED, START, UNLABELLED, fold, named, placeOf, step } from "/static/naming-state.js";
import { Asking } from "/static/naming-asking.js";
import { Board, element, images, titleOf as titleIn } from "/static/naming-board.js";
import { Saving } from "/static/naming-saving.js";

const byId = (id) => document.getElementById(id);
const content = JSON.parse(byId("content").textContent);
const address = location.pathname;
const board = new Board(content.maps, address);
const selection = new Set();
const titleOf = (place) => titleIn(history.present, place);

let history = START, number = 0;
let anchor = board.cursor; // where a range begins

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
    for (const key of board.lists.get(place)) selection.add(key);
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
const placeHere = () => placeOf(history.present, board.cursor);

/** Returns what a command is about: what is selected, or else the image that has the focus. */
function chosen() {
  if (selection.size) return board.order.filter((key) => selection.has(key));
  return tileHere() ? [board.cursor] : [];
}

function clear() { selection.clear(); }

function select(key, { range = false, toggle = false } = {}) {
  if (range) {
    const all = board.flat, [from, to] = [all.indexOf(anchor), all.indexOf(key)].sort((a, b) => a - b);
    if (!toggle) clear();
    for (const each of all.slice(Math.max(from, 0), to + 1)) selection.add(each);
  } else {
    const was = selection.has(key);
    if (!toggle) clear();
    toggle && was ? selection.delete(key) : selection.add(key);
    anchor = key;
  }
  board.drawSelection(selection);
  say(selection.size ? `${images([...selection])} selected.` : "Nothing selected.");
}

function goTo(key, extend) {
  if (!key) return;
  if (extend && !selection.size) anchor = board.cursor;
  board.setCursor(key);
  board.focus();
  if (extend) select(key, { range: true });
}

function draw() {
  board.draw(history.present, selection);
  byId("undo").disabled = !history.past.length;
  byId("redo").disabled = !history.future.length;
  byId("done").setAttribute("aria-pressed", String(history.done));
  byId("done").textContent = history.done ? "✓ Finished" : "Finish";
}

function say(text) {
  const said = byId("said");
  said.textContent = text && said.textContent === text ? `${text}\u00a0` : text; // the same words again are news again
}

// ---- Dialogs ----------------------------------------------------------------------------------------------------

/** Closes the dialog that is open. The browser puts the focus back where it was; it belongs where one goes on. */
function shut() {
  const here = board.cursor;
  document.querySelector("dialog[open]").close();
  board.setCursor(here);
  board.focus({ preventScroll: true });
}

const asking = new Asking({ titleOf, shut });
const ask = (question) => asking.ask(question);

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); shut(); });
}

/** Shows images large, each as it is and with its marks. */
function look(keys) {
  if (!keys.length) { say("Select images first."); return; }
  byId("look-title").textContent = keys.length === 1 ? board.label(keys[0]) : `${images(keys)} side by side`;
  byId("pairs").replaceChildren(...keys.map((key) => {
    const caption = `${board.label(key)} · ${titleOf(placeOf(history.present, key))}`;
    const [original, heat] = board.layers(key, false);
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
  else board.sections.get(target.dataset.place).scrollIntoView({ block: "start" });
});
byId("maps").addEventListener("dblclick", () => { // quick taps on two images, between which the page moved, are none
  if (clicked[0] && clicked[0] === clicked[1]) look([clicked[0].dataset.key]);
});
byId("maps").addEventListener("focusin", (event) => { const at = event.target.closest("[data-key]"); if (at) board.setCursor(at.dataset.key); });

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
  const all = board.flat, at = all.indexOf(board.cursor), extend = event.shiftKey, onTile = Boolean(tileHere());
  const to = onTile && { ArrowRight: () => all[at + 1], ArrowLeft: () => all[at - 1], ArrowDown: () => board.vertical(1), ArrowUp: () => board.vertical(-1),
    Home: () => all[0], End: () => all.at(-1) }[event.key];
  if (to) return () => goTo(to(), extend);
  if (event.key === " " && onTile) return () => select(board.cursor, { toggle: true, range: extend });
  if (event.key === "Enter" && onTile) return () => look([board.cursor]);
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
    const next = way && board.flat[board.flat.indexOf(board.cursor) + way];
    if (next) { board.setCursor(next); look([next]); }
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
goTo(board.flat[0]);
if (content.closed) say("This group is closed: you have seen how others named.");
saving.send();
window.naming = { get state() { return history.present; }, get history() { return history; } }; // for whoever looks inside
