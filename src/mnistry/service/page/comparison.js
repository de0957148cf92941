// Other models on the same drawing, side by side: a row for each model, filled for those that are ticked.

import { read } from "./service.js";
import { percent, say } from "./words.js";

/** The table of models. */
export class Comparison {
  #rows = new Map();
  #body = document.getElementById("models").tBodies[0];

  /** `onTick` is called when a model that is not read yet is ticked. */
  constructor(onTick) {
    this.#body.addEventListener("change", ({ target }) => {
      if (target.checked) onTick();
      else this.#fill(target.value, null);
    });
  }

  /** Lists the models as the service does. */
  list(models) {
    const ticked = new Set(this.#ticked());
    this.#rows.clear();
    this.#body.replaceChildren(
      ...models.map(({ name, accuracy }) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        const label = document.createElement("label");
        const tick = document.createElement("input");
        Object.assign(tick, { type: "checkbox", value: name, checked: ticked.has(name) });
        const title = document.createElement("span");
        title.textContent = name;
        const remark = document.createElement("small");
        if (accuracy !== null) say(remark, "accuracy", { accuracy: percent(accuracy) });
        title.append(remark);
        label.append(tick, title);
        head.append(label);
        row.append(head);
        this.#rows.set(name, { row, tick, cells: [row.insertCell(), row.insertCell(), row.insertCell()] });
        return row;
      }),
    );
    document.getElementById("only-one").hidden = models.length !== 1;
  }

  /** Shows what the chosen model read; its row is always filled. */
  showChosen(name, reading, ms) {
    for (const [other, { row, tick }] of this.#rows) {
      row.classList.toggle("chosen", other === name);
      if (other === name) tick.checked = true;
      tick.disabled = other === name;
    }
    this.#fill(name, reading, ms);
  }

  /** Says that what the other models read belongs to an earlier drawing. */
  forget() {
    for (const { row } of this.#rows.values()) row.classList.add("stale");
  }

  /** Empties all rows. */
  clear() {
    for (const name of this.#rows.keys()) this.#fill(name, null);
  }

  /** Lets the ticked models but the chosen one read the picture, one after the other. */
  async fill(picture, chosen, signal) {
    for (const name of this.#ticked()) {
      const { row } = this.#rows.get(name);
      if (name === chosen || (row.classList.contains("filled") && !row.classList.contains("stale"))) continue;
      const start = performance.now();
      try {
        const reading = await read(picture, name, signal);
        this.#fill(name, reading, performance.now() - start);
      } catch (error) {
        if (signal.aborted || error.retryAfter !== null) throw error;
        this.#fill(name, { digits: [], failed: error.status }, performance.now() - start);
      }
    }
  }

  #ticked() {
    return [...this.#rows].filter(([, { tick }]) => tick.checked).map(([name]) => name);
  }

  #fill(name, reading, ms) {
    if (!this.#rows.has(name)) return;
    const { row, cells } = this.#rows.get(name);
    row.classList.remove("stale");
    row.classList.toggle("filled", reading !== null);
    const found = Boolean(reading?.digits.length);
    if (reading?.failed) say(cells[0], "failedShort", { status: reading.failed });
    else say(cells[0], reading && !found ? "noneShort" : null);
    if (found) cells[0].textContent = reading.lines.join(" | ");
    const lowest = found ? Math.min(...reading.digits.map((digit) => digit.confidence)) : 0;
    say(cells[1], found ? "chance" : null, { chance: percent(lowest) });
    say(cells[2], reading ? "milliseconds" : null, { ms: Math.round(ms) });
  }
}
