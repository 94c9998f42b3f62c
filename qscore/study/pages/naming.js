// The naming page of one group. What a person does (naming-hands.js) is an action: it changes the state here at once
// (naming-state.js) and goes to the server in order (naming-saving.js). The page is drawn from the state and nothing else
// (naming-board.js).
import { DISCARDED, START, UNLABELLED, fold, named, placeOf, step } from "/static/naming-state.js";
import { Asking } from "/static/naming-asking.js";
import { Board, element, images, titleOf as titleIn } from "/static/naming-board.js";
import { listen } from "/static/naming-hands.js";
import { isPossible, replay } from "/static/naming-replay.js";
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
  if (!isPossible(history.present, action)) { say("This is not possible any more."); return; }
  leaving = action.do === "done" && action.done;
  history = step(history, ++number, action);
  saving.add(number, action);
  draw();
  say(said);
}

/** Takes what the server has, and does on top of it what it lacks; returns that, and how much did not fit. */
function adopt(actions, queues) {
  history = fold(actions);
  number = actions.length;
  const items = [];
  let leftOut = 0;
  for (const queue of queues) {
    const done = replay(history, number, queue);
    ({ history, number } = done);
    items.push(...done.items);
    leftOut += done.leftOut;
  }
  return { items, leftOut };
}

function toConcept(number) {
  const one = history.present.concepts[number - 1];
  one ? moveTo(one.id) : say(`There is no concept ${number} yet.`);
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
    const title = members.length ? `New concept of ${images(members)}` : "New concept";
    ask({ title, accept: (name) => create(name, members) });
  },
  add: (typed = "") => {
    const members = chosen();
    if (!members.length) { say("Select images first."); return; }
    ask({
      title: `Put ${images(members)} into`, typed, places: history.present.concepts.map((one) => one.id), makes: true,
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

const placeHere = () => placeOf(history.present, board.cursor);

/** Returns what a command is about: what is selected, or else the image that has the focus. */
function chosen() {
  if (selection.size) return board.order.filter((key) => selection.has(key));
  return board.hasFocus ? [board.cursor] : [];
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

function goTo(key, extend, options) {
  if (!key) return;
  if (extend && !selection.size) anchor = board.cursor;
  board.setCursor(key);
  board.focus(options);
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
    const side = (...inside) => element("span", { class: "map" }, ...inside);
    const pair = element("div", { class: "pair" }, side(original.cloneNode()), side(original, heat));
    return element("figure", {}, pair, element("figcaption", {}, caption));
  }));
  byId("pairs").classList.toggle("one", keys.length === 1);
  if (!byId("look").open) byId("look").showModal();
}

// ---- Saving -----------------------------------------------------------------------------------------------------

const WORDS = {
  saved: "Saved", saving: "Saving …", away: "Not saved yet. Trying again …",
  stuck: "Not saved. Please open your link again.",
};
let leaving = false;

function heard(event) {
  byId("saving").dataset.saving = event;
  // Words that come and go with every action would be read aloud: while it is saving for a moment, they stay.
  if (event !== "saving") byId("saving-text").textContent = WORDS[event];
  if (event === "saved" && leaving) location.assign(`${address.split("/").slice(0, 3).join("/")}/next`);
}

/** Returns what the server still lacks, now that it says that it has other actions than the page thought. */
function behind({ outcome, message, actions }, queue) {
  leaving = false;
  clear();
  content.closed ||= outcome === "closed";
  const { items, leftOut } = adopt(actions, content.closed ? [] : [queue]);
  draw();
  sayOf(outcome === "repeated" ? "" : message, content.closed ? queue.length : leftOut);
  return items;
}

/** Does again what closed windows had not sent; returns what the server lacks. */
function taken(queues) {
  const { items, leftOut } = adopt(content.actions, content.closed ? [] : queues);
  draw();
  goTo(board.flat[0]);
  sayOf(content.closed ? "This group is closed: you have seen how others named." : "", leftOut);
  return items;
}

function sayOf(message, leftOut) {
  const lost = leftOut ? `${leftOut} of the changes made here ${leftOut === 1 ? "does" : "do"} not fit any more.` : "";
  if (message || lost) say(`${message} ${lost}`.trim());
}

// ---- The view ---------------------------------------------------------------------------------------------------

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
applyView();
const saving = new Saving({ address, form: content.form, heard, behind });
saving.begin(taken);
listen({ board, commands, selection, select, goTo, look, moveTo, toConcept, strengthen });
window.naming = { get state() { return history.present; }, get history() { return history; } }; // for whoever looks inside
