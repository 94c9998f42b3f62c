// Mouse, finger and keys: what a person does with them, in the words of the page's commands.
const byId = (id) => document.getElementById(id);

const LETTERS = {
  n: "new", a: "add", u: "unlabelled", d: "discard", c: "compare", r: "rename", m: "merge", x: "dissolve",
  o: "overlay", z: "undo", Z: "redo", "?": "help",
};
const NAMED = { Delete: "discard", Escape: "clear" };
const LETTERS_OFF = "naming letters off";

/**
 * board: the images; commands: by their names; selection: of keys.
 * select(key, {range, toggle}), goTo(key, extend), look(keys), moveTo(place), toConcept(number), strengthen(by).
 */
export function listen({ board, commands, selection, select, goTo, look, moveTo, toConcept, strengthen }) {
  let clicked = []; // the latest two images
  let pointer = "mouse"; // or "touch"

  document.addEventListener("pointerdown", (event) => { pointer = event.pointerType; }, true);
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-do], [data-key], .concept");
    clicked = [clicked.at(-1), event.target.closest("[data-key]")];
    if (!target) return;
    if (target.dataset.do) commands[target.dataset.do](target.dataset.of);
    else if (target.dataset.key) {
      goTo(target.dataset.key);
      select(target.dataset.key, { range: event.shiftKey, toggle: event.ctrlKey || event.metaKey || pointer === "touch" });
    } else if (selection.size) moveTo(target.dataset.place);
    else {
      board.sections.get(target.dataset.place).scrollIntoView({ block: "start" });
      goTo(board.lists.get(target.dataset.place)[0], false, { preventScroll: true });
    }
    // After the mouse, the keys are about images again; whoever presses a button by a key stays on it.
    const byMouse = event.detail > 0 && !document.querySelector("dialog[open]") && !target.dataset.key;
    if (byMouse) board.focus({ preventScroll: true });
  });
  byId("maps").addEventListener("dblclick", () => { // quick taps on two images, between which the page moved, are none
    if (clicked[0] && clicked[0] === clicked[1]) look([clicked[0].dataset.key]);
  });
  byId("maps").addEventListener("focusin", (event) => {
    const at = event.target.closest("[data-key]");
    if (at) board.setCursor(at.dataset.key);
  });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.target.closest("input:not([type=range], [type=checkbox])")) return;
    if (document.querySelector("dialog[open]")) { inDialog(event); return; }
    const what = meant(event);
    if (what) { event.preventDefault(); what(); }
  });

  function inDialog(event) {
    if (!byId("look").open) return;
    const way = byId("pairs").children.length === 1 && { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = way && board.flat[board.flat.indexOf(board.cursor) + way];
    if (next) { board.setCursor(next); look([next]); }
    if (event.key === "o") commands.overlay();
  }

  /** Returns what a key means, or nothing. */
  function meant(event) {
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
      const command = { a: "all", z: event.shiftKey ? "redo" : "undo", Z: "redo", y: "redo" }[key];
      return command && (() => commands[command]());
    }
    if (board.hasFocus) {
      const all = board.flat, at = all.indexOf(board.cursor);
      const to = { ArrowRight: () => all[at + 1], ArrowLeft: () => all[at - 1], ArrowDown: () => board.vertical(1),
        ArrowUp: () => board.vertical(-1), Home: () => all[0], End: () => all.at(-1) }[key];
      if (to) return () => goTo(to(), event.shiftKey);
      if (key === " ") return () => select(board.cursor, { toggle: true, range: event.shiftKey });
      if (key === "Enter") return () => look([board.cursor]);
    }
    if (NAMED[key]) return () => commands[NAMED[key]]();
    if (!byId("letters").checked) return null;
    if (key === "+" || key === "-") return () => strengthen(key === "+" ? 10 : -10);
    if (LETTERS[key]) return () => commands[LETTERS[key]]();
    if (/^[1-9]$/.test(key)) return () => toConcept(Number(key));
    return /^\p{L}$/u.test(key) ? () => commands.add(key) : null;
  }

  // Whoever dictates, or writes with a switch, can do without keys that act at once.
  const kept = (turn) => { try { return turn(localStorage); } catch { return null; } };
  byId("letters").checked = !kept((storage) => storage.getItem(LETTERS_OFF));
  byId("letters").addEventListener("change", (event) => {
    kept((storage) => event.target.checked ? storage.removeItem(LETTERS_OFF) : storage.setItem(LETTERS_OFF, "1"));
  });

  drag({ commands, selection, select, moveTo });
}

function drag({ commands, selection, select, moveTo }) {
  const unmark = (but) => {
    for (const marked of document.querySelectorAll(".over")) if (marked !== but) marked.classList.remove("over");
  };
  const placeAt = (event) => event.target.closest?.("[data-place]");
  document.addEventListener("dragstart", (event) => {
    const dragged = event.target.closest?.("[data-key]");
    if (!dragged) return;
    if (!selection.has(dragged.dataset.key)) select(dragged.dataset.key);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", byId("count").textContent);
    event.dataTransfer.setDragImage(byId("count"), 0, 0);
  });
  document.addEventListener("dragover", (event) => {
    const over = placeAt(event);
    unmark(over);
    if (over) { event.preventDefault(); over.classList.add("over"); }
  });
  document.addEventListener("drop", (event) => {
    const over = placeAt(event);
    if (!over) return;
    event.preventDefault();
    over.dataset.place === "new" ? commands.new() : moveTo(over.dataset.place);
  });
  document.addEventListener("dragend", () => unmark());
}
