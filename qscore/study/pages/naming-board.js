// What is drawn of a naming page: images in sections, one a place, and the list of concepts. Drawn from the state alone.
import { DISCARDED, UNLABELLED, placeOf } from "/static/naming-state.js";

const FEW = 3; // a concept of fewer images is marked
const byId = (id) => document.getElementById(id);
const isConcept = (place) => place !== UNLABELLED && place !== DISCARDED;

export const images = (keys) => `${keys.length} image${keys.length === 1 ? "" : "s"}`;

export function titleOf(state, place) {
  if (place === UNLABELLED) return "Unlabelled";
  if (place === DISCARDED) return "Discarded";
  return state.concepts.find((one) => one.id === place).name;
}

export function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

export class Board {
  /**
   * maps: [key, key of its image] in the order of the page; address: of the page, below which the images are.
   */
  constructor(maps, address) {
    this.address = address;
    this.imageOf = new Map(maps);
    this.order = maps.map(([key]) => key);
    this.cursor = this.order[0]; // the image that has the focus, or had it last
    this.lists = new Map(); // place -> keys, as drawn
    this.sections = new Map();
    this.tiles = new Map(this.order.map((key, i) => [key, this.tile(key, i + 1)]));
  }

  get flat() { return [...this.lists.values()].flat(); }

  label(key) { return this.tiles.get(key).getAttribute("aria-label"); }

  layers(key, lazy) {
    const options = { alt: "", draggable: "false", ...(lazy && { loading: "lazy", decoding: "async" }) };
    return [
      element("img", { src: `${this.address}/image/${this.imageOf.get(key)}`, ...options }),
      element("img", { src: `${this.address}/map/${key}`, class: "heat", ...options }),
    ];
  }

  tile(key, position) {
    return element("li", {
      role: "option", class: "map", draggable: "true", tabindex: "-1", "aria-selected": "false",
      "aria-label": `Image ${position}`, "data-key": key,
    }, ...this.layers(key, true));
  }

  setCursor(key) {
    this.tiles.get(this.cursor).tabIndex = -1;
    this.cursor = key;
    this.tiles.get(key).tabIndex = 0;
  }

  get hasFocus() { return Boolean(document.activeElement?.closest?.("[data-key]")); }

  focus(options) { this.tiles.get(this.cursor).focus(options); }

  /** Returns the image above or below: in the same column, also in the section before or after. */
  vertical(step) {
    const drawn = [...this.lists.values()].filter((keys) => keys.length);
    const here = drawn.findIndex((keys) => keys.includes(this.cursor)), keys = drawn[here];
    const columns = getComputedStyle(this.tiles.get(this.cursor).parentElement).gridTemplateColumns.split(" ").length;
    const at = keys.indexOf(this.cursor), column = at % columns, rowStart = at - column + step * columns;
    if (rowStart >= 0 && rowStart < keys.length) return keys[Math.min(rowStart + column, keys.length - 1)];
    const next = drawn[here + step];
    if (!next) return null;
    return next[Math.min((step < 0 ? Math.floor((next.length - 1) / columns) * columns : 0) + column, next.length - 1)];
  }

  /** Draws the state; sections and images that stay where they are are not touched, which keeps 500 of them smooth. */
  draw(state, selection) {
    const hadFocus = this.hasFocus || document.activeElement === document.body;
    const before = this.lists;
    this.lists = new Map([UNLABELLED, ...state.concepts.map((one) => one.id), DISCARDED].map((place) => [place, []]));
    for (const key of this.order) this.lists.get(placeOf(state, key)).push(key);
    this.keepCursor(before);
    for (const [place, drawn] of this.sections) if (!this.lists.has(place)) { drawn.remove(); this.sections.delete(place); }
    let previous = byId("hint");
    for (const [place, keys] of this.lists) {
      if (!this.sections.has(place)) this.sections.set(place, section(place));
      const drawn = this.sections.get(place);
      if (previous.nextElementSibling !== drawn) previous.after(drawn);
      fill(drawn.lastChild, keys.map((key) => this.tiles.get(key)));
      this.drawHeading(drawn, titleOf(state, place), keys, this.few(place));
      previous = drawn;
    }
    this.drawConcepts(state);
    this.drawSelection(selection);
    if (hadFocus && !document.querySelector("dialog[open]")) this.focus({ preventScroll: true });
  }

  /** Where the image with the focus went elsewhere, its neighbour gets the focus, so that one can go on from there. */
  keepCursor(before) {
    const [place, keys] = [...before].find(([, each]) => each.includes(this.cursor)) ?? [];
    const left = new Set(this.lists.get(place) ?? []);
    if (!keys || !left.size || left.has(this.cursor)) { this.setCursor(this.cursor); return; }
    const at = keys.indexOf(this.cursor);
    this.setCursor([...keys.slice(at + 1), ...keys.slice(0, at).reverse()].find((key) => left.has(key)));
  }

  /** Returns how many images a concept has where these are too few, else null. */
  few(place) {
    const count = new Set(this.lists.get(place).map((key) => this.imageOf.get(key))).size;
    return isConcept(place) && count < FEW ? count : null;
  }

  drawHeading(drawn, title, keys, few) {
    const [heading, warning] = drawn.firstChild.children;
    heading.textContent = `${title} `;
    heading.append(element("span", { class: "soft" }, String(keys.length)));
    warning.textContent = few === null ? "" : `of ${few} image${few === 1 ? "" : "s"}: a concept should have at least ${FEW}`;
    drawn.lastChild.hidden = !keys.length;
    drawn.classList.toggle("empty", !keys.length);
  }

  drawConcepts(state) {
    const entries = [...this.lists].map(([place, keys]) => {
      const at = state.concepts.findIndex((one) => one.id === place), isFew = this.few(place) !== null;
      const key = place === UNLABELLED ? "u" : place === DISCARDED ? "d" : at < 9 ? String(at + 1) : "";
      const entry = element("button", { class: `concept${isFew ? " is-few" : ""}`, "data-place": place },
        element("kbd", { class: "wide-only" }, key), element("span", { class: "name" }, titleOf(state, place)),
        element("span", { class: "n" }, String(keys.length)));
      if (isFew) entry.append(element("span", { class: "hidden" }, `fewer than ${FEW} images`));
      return entry;
    });
    const make = element("button", { class: "concept make", "data-do": "new", "data-place": "new" },
      element("kbd", { class: "wide-only" }, "n"), "New concept");
    entries.splice(-1, 0, make);
    const focused = document.activeElement?.closest?.("#concepts [data-place]")?.dataset.place;
    byId("concepts").replaceChildren(...entries);
    if (focused) byId("concepts").querySelector(`[data-place="${focused}"]`)?.focus();
  }

  drawSelection(selection) {
    for (const [key, drawn] of this.tiles) drawn.setAttribute("aria-selected", String(selection.has(key)));
    byId("selection").hidden = !selection.size;
    byId("count").textContent = `${selection.size} selected`;
    document.documentElement.classList.toggle("selecting", selection.size > 0);
  }
}

/** Makes tiles the children of a list, and touches only what changes. */
function fill(list, tiles) {
  const wanted = new Set(tiles);
  for (const tile of [...list.children]) if (!wanted.has(tile)) tile.remove();
  let at = list.firstChild;
  for (const tile of tiles) tile === at ? at = at.nextSibling : list.insertBefore(tile, at);
}

function section(place) {
  const heading = element("h2", { id: `title-${place}` });
  const tools = element("span", { class: "row" }, button("all", "Select all", place));
  if (isConcept(place)) {
    tools.append(button("rename", "Rename", place), button("merge", "Merge", place), button("dissolve", "Dissolve", place));
  }
  const few = element("span", { class: "few" });
  const list = element("ul", { role: "listbox", "aria-multiselectable": "true", "aria-labelledby": `title-${place}` });
  return element("section", { "data-place": place }, element("header", {}, heading, few, tools), list);
}

function button(command, text, place) {
  return element("button", { class: "small quiet", "data-do": command, "data-of": place }, text);
}
