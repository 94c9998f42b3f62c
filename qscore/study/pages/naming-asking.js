// Asks for a name, or for one of some concepts by its first letters, in the dialog of the naming page.
import { tidy } from "/static/naming-state.js";
import { element } from "/static/naming-board.js";

const byId = (id) => document.getElementById(id);

const MAKE = Symbol("a new concept");

export class Asking {
  /** titleOf(place): as a person reads it; shut(): closes the dialog. */
  constructor({ titleOf, shut }) {
    Object.assign(this, { titleOf, shut, places: null, makes: false, options: [], accept: null, at: 0 });
    byId("choose-name").addEventListener("input", () => { this.at = 0; this.draw(); });
    byId("choose-name").addEventListener("keydown", (event) => this.onKey(event));
    byId("choose-ok").addEventListener("click", () => this.answer());
    byId("choose-list").addEventListener("click", (event) => {
      const option = event.target.closest("[data-option]");
      if (option) { this.at = Number(option.dataset.option); this.answer(); }
    });
  }

  /**
   * accept(name, place): returns what is wrong, or nothing; place only where one of `places` was chosen.
   * makes: whether a name that is typed can also be that of a new concept.
   */
  ask({ title, typed = "", places = null, makes = false, accept }) {
    Object.assign(this, { places, makes, accept, at: 0 });
    byId("choose-title").textContent = title;
    byId("choose-label").textContent = places ? "First letters" : "Name";
    byId("choose-name").value = typed;
    const roles = { role: "combobox", "aria-expanded": "true", "aria-controls": "choose-list" };
    for (const [name, value] of Object.entries(roles)) {
      places ? byId("choose-name").setAttribute(name, value) : byId("choose-name").removeAttribute(name);
    }
    this.draw();
    byId("choose").showModal();
    byId("choose-name").focus();
    if (!places) byId("choose-name").select();
  }

  draw() {
    const typed = tidy(byId("choose-name").value).toLowerCase();
    const starts = (name) => name.startsWith(typed) || name.split(" ").some((word) => word.startsWith(typed));
    const isExact = (place) => this.titleOf(place).toLowerCase() === typed;
    const fitting = (this.places ?? []).filter((place) => starts(this.titleOf(place).toLowerCase()));
    const exact = fitting.filter(isExact), others = fitting.filter((place) => !isExact(place));
    this.options = [...exact, ...others, ...(this.makes && typed && !exact.length ? [MAKE] : [])];
    this.at = Math.max(0, Math.min(this.at, this.options.length - 1));
    byId("choose-list").replaceChildren(...this.options.map((place, i) => element("li",
      { role: "option", id: `option-${i}`, "data-option": i, "aria-selected": String(i === this.at) }, this.shown(place))));
    byId("choose-name").setAttribute("aria-activedescendant", this.options.length ? `option-${this.at}` : "");
    byId("choose-warning").textContent = "";
  }

  shown(option) { return option === MAKE ? `New concept “${tidy(byId("choose-name").value)}”` : this.titleOf(option); }

  answer() {
    const name = tidy(byId("choose-name").value), place = this.options[this.at];
    const wrong = !name && !place ? "Type a name." : this.accept(name, place === MAKE ? undefined : place);
    if (wrong) { byId("choose-warning").textContent = wrong; return; }
    this.shut();
  }

  onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") { event.preventDefault(); this.answer(); }
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way && this.options.length) { event.preventDefault(); this.at += way; this.draw(); }
  }
}
