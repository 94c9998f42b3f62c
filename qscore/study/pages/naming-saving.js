// Sends actions one after the other, in order, until the server has each: whatever fails in between.

const PAUSES_MS = [400, 800, 1600, 3200, 5000];

export class Saving {
  /**
   * queue: actions that the server may lack, {number, client_id, action}; what a closed window left is in `storage`.
   * heard(event, reply): "saved", "saving", "away", or "behind" with the actions that the server has.
   */
  constructor({ address, form, storage, heard }) {
    Object.assign(this, { address, form, storage, heard, attempts: 0, busy: false, timer: 0 });
    this.queue = JSON.parse(readStorage(storage) ?? "[]");
    addEventListener("online", () => this.soon());
    addEventListener("beforeunload", (event) => { if (this.queue.length) event.preventDefault(); });
  }

  add(number, action) {
    this.queue.push({ number, client_id: crypto.getRandomValues(new Uint32Array(4)).join("-").slice(0, 40), action });
    this.keep();
    if (!this.timer) this.send();
  }

  /** Tries again now, and not only after the pause. */
  soon() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.attempts = 0;
    this.send();
  }

  async send() {
    if (this.busy || !this.queue.length) return;
    this.busy = true;
    if (!this.attempts) this.heard("saving");
    const outcome = await this.post(this.queue[0]);
    this.busy = false;
    if (outcome === "away") {
      this.heard("away");
      this.timer = setTimeout(() => { this.timer = 0; this.send(); }, PAUSES_MS[Math.min(this.attempts++, PAUSES_MS.length - 1)]);
      return;
    }
    this.attempts = 0;
    outcome === "kept" ? this.queue.shift() : (this.queue = []);
    this.keep();
    if (outcome !== "kept") this.heard("behind", outcome);
    this.queue.length ? this.send() : this.heard("saved");
  }

  async post(item) {
    let response, reply;
    try {
      response = await fetch(`${this.address}/act`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ form: this.form, ...item }),
        signal: AbortSignal.timeout(15000),
      });
      reply = response.headers.get("Content-Type") === "application/json" ? await response.json() : {};
    } catch {
      return "away";
    }
    if (response.ok) return "kept";
    if (response.status >= 500 || response.status === 429) return "away";
    return { message: "The server does not take this. Please open your link again.", ...reply };
  }

  keep() {
    try {
      this.queue.length ? localStorage.setItem(this.storage, JSON.stringify(this.queue)) : localStorage.removeItem(this.storage);
    } catch { /* Without storage a closed window loses what the server lacks; the browser warned before. */ }
  }
}

function readStorage(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
