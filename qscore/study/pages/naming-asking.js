// Asks for a name, or for one of some concepts by its first letters, in the dialog of the naming page.
import { tidy } from "/static/naming-state.js";
import { element } from "/static/naming-board.js";

const byId = (id) => document.getElementById(id);

export class Asking {
  /** titleOf(place): as a person reads it; shut(): closes the dialog. */
  constructor({ titleOf, shut }) {
    Object.assign(this, { titleOf, shut, places: null, options: [], accept: null, at: 0 });
    byId("choose-name").addEventListener("input", () => { this.at = 0; this.draw(); });
    byId("choose-name").addEventListener("keydown", (event) => this.onKey(event));
    byId("choose-ok").addEventListener("click", () => this.answer());
    byId("choose-list").addEventListener("click", (event) => {
      const option = event.target.closest("[data-option]");
      if (option) { this.at = Number(option.dataset.option); this.answer(); }
    });
  }

  /** accept(name, place): returns what is wrong, or nothing; place only where there are `places` to choose from. */
  ask({ title, typed = "", places = null, accept }) {
    Object.assign(this, { places, accept, at: 0 });
    byId("choose-title").textContent = title;
    byId("choose-label").textContent = places ? "First letters" : "Name";
    byId("choose-name").value = typed;
    byId("choose-name").setAttribute("role", places ? "combobox" : "textbox");
    this.draw();
    byId("choose").showModal();
    byId("choose-name").focus();
    if (!places) byId("choose-name").select();
  }

  draw() {
    const typed = tidy(byId("choose-name").value).toLowerCase();
    const starts = (name) => name.startsWith(typed) || name.split(" ").some((word) => word.startsWith(typed));
    this.options = (this.places ?? []).filter((place) => starts(this.titleOf(place).toLowerCase()));
    this.at = Math.max(0, Math.min(this.at, this.options.length - 1));
    byId("choose-list").replaceChildren(...this.options.map((place, i) => element("li",
      { role: "option", id: `option-${i}`, "data-option": i, "aria-selected": String(i === this.at) }, this.titleOf(place))));
    byId("choose-name").setAttribute("aria-activedescendant", this.options.length ? `option-${this.at}` : "");
    byId("choose-warning").textContent = "";
  }

  answer() {
    const name = tidy(byId("choose-name").value), place = this.options[this.at];
    const wrong = !name && !place ? "Type a name." : this.accept(name, place);
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
