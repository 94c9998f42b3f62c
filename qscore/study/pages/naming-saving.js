// Sends actions one after the other, in order, until the server has each: whatever fails in between.

const PAUSES_MS = [400, 800, 1600, 3200, 5000], REFUSED_PAUSE_MS = 30000;
const OUTCOMES = ["kept", "repeated", "stale", "refused", "closed"];

export class Saving {
  /**
   * address: of the group's page. form: what its actions carry to be taken.
   * heard(event): "saved", "saving", "away" (no answer), "stuck" (an answer that takes nothing).
   * behind(reply, queue): the server has other actions than the page thought; returns the queue as it is now.
   */
  constructor({ address, form, heard, behind }) {
    Object.assign(this, { address, form, heard, behind, queue: [], attempts: 0, busy: false, timer: 0 });
    this.name = `${prefix(address)}${random()}`; // each window keeps its own queue
    addEventListener("online", () => this.soon());
    addEventListener("beforeunload", (event) => { if (this.queue.length) event.preventDefault(); });
  }

  /** Begins with what windows that were closed had not sent; `placed` says what becomes of it. */
  begin(placed) {
    const left = stored(this.address), seen = new Set();
    const isNew = ({ client_id: id }) => !seen.has(id) && seen.add(id);
    try {
      this.queue = placed(left.map(([, queue]) => queue.filter(isNew)));
    } catch { // something else wrote there
      this.queue = placed([]);
    }
    this.keep();
    for (const [name] of left) localStorage.removeItem(name);
    this.queue.length ? this.send() : this.heard("saved");
  }

  add(number, action) {
    this.queue.push({ number, client_id: random(), action });
    this.keep();
    if (!this.timer) this.send();
  }

  /** Tries again now, and not only after the pause. */
  soon() {
    clearTimeout(this.timer);
    this.timer = this.attempts = 0;
    this.send();
  }

  async send() {
    if (this.busy || !this.queue.length) return;
    this.busy = true;
    if (!this.attempts) this.heard("saving");
    const { outcome, ...reply } = await this.post(this.queue[0]);
    this.busy = false;
    if (!OUTCOMES.includes(outcome)) {
      this.heard(outcome);
      const pause = outcome === "stuck" ? REFUSED_PAUSE_MS : PAUSES_MS[Math.min(this.attempts, PAUSES_MS.length - 1)];
      this.attempts++;
      this.timer = setTimeout(() => { this.timer = 0; this.send(); }, pause);
      return;
    }
    this.attempts = 0;
    if (outcome !== "stale") this.queue.shift();
    if (outcome !== "kept") this.queue = this.behind({ outcome, ...reply }, this.queue);
    this.keep();
    this.queue.length ? this.send() : this.heard("saved");
  }

  /** Returns the server's reply; its outcome is "away" or "stuck" where it is none of our server's. */
  async post({ number, client_id, action }) {
    try {
      const body = JSON.stringify({ form: this.form, number, client_id, action });
      const headers = { "Content-Type": "application/json" };
      const response = await this.ask("act", { method: "POST", headers, body });
      if (!isJson(response)) return { outcome: response.ok || mayPass(response.status) ? "away" : "stuck" };
      const reply = await response.json();
      // The answer of the first time was lost: others may have come in between.
      return reply.outcome === "repeated" ? { ...reply, ...await (await this.ask("log")).json() } : reply;
    } catch {
      return { outcome: "away" };
    }
  }

  ask(what, options = {}) {
    return fetch(`${this.address}/${what}`, { redirect: "error", signal: AbortSignal.timeout(15000), ...options });
  }

  keep() {
    try {
      this.queue.length ? localStorage.setItem(this.name, JSON.stringify(this.queue)) : localStorage.removeItem(this.name);
    } catch { /* Without storage a closed window loses what the server lacks; the browser warned before. */ }
  }
}

/** Returns [name, queue] of what windows on a group's page had not sent when they were closed, or have not sent yet. */
export function stored(address) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix(address))).sort();
    return names.map((name) => [name, parsed(localStorage.getItem(name))]);
  } catch {
    return [];
  }
}

const prefix = (address) => `naming ${address} `;
const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-").slice(0, 40);
const isJson = (response) => response.headers.get("Content-Type")?.startsWith("application/json");
const mayPass = (status) => status >= 500 || status === 408 || status === 429;

function parsed(text) {
  try {
    const queue = JSON.parse(text);
    return Array.isArray(queue) ? queue.filter((item) => item?.action?.do && item.client_id) : [];
  } catch {
    return [];
  }
}
