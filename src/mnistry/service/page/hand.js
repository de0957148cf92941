// A sheet to write each digit several times on: what a reader learns its user's hand from.

import { encode } from "./drawing.js";
import * as service from "./service.js";
import { say } from "./words.js";

const DIGITS = 10;

const part = (id) => document.getElementById(id);

/** Asks for one digit after the other, ten or twelve times each, and has the service keep each as a picture. */
export class Hand {
  #drawing;
  #digit = null; // that is asked for now
  #keeping = false;

  constructor(drawing) {
    this.#drawing = drawing;
    part("write-hand").addEventListener("click", () => this.#ask(0));
    part("hand-keep").addEventListener("click", () => this.#keep());
    part("hand-skip").addEventListener("click", () => this.#ask(this.#digit + 1));
    part("hand-end").addEventListener("click", () => this.#ask(DIGITS));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || this.#digit === null || event.target.matches("button, input, select, summary, a")) return;
      event.preventDefault();
      this.#keep();
    });
    drawing.addEventListener("change", () => {
      if (this.#digit === null) return;
      if (drawing.picture) this.#end(); // someone has brought a picture instead
      else this.#show();
    });
  }

  /** Whether the service keeps what is written. */
  offer(kept) {
    part("write-hand").hidden = !kept;
  }

  /** Asks for a digit; after the last one, for nothing more. */
  #ask(digit) {
    say(part("hand-state"), null);
    this.#digit = digit;
    if (digit >= DIGITS) this.#end();
    this.#drawing.restart(); // nothing of one digit can come back as another one
  }

  #end() {
    this.#digit = null;
    part("hand").hidden = part("fields").hidden = true;
    part("write-hand").hidden = false;
    part("write-hand").focus();
  }

  #show() {
    const [columns, rows] = this.#grid();
    const fields = part("fields");
    fields.dataset.columns = columns;
    if (fields.children.length !== columns * rows) {
      fields.replaceChildren(...Array.from({ length: columns * rows }, () => document.createElement("i")));
    }
    part("hand").hidden = fields.hidden = false;
    part("write-hand").hidden = true;
    say(part("hand-task"), "handTask", { digit: this.#digit, number: this.#digit + 1, count: DIGITS });
    part("hand-keep").disabled = this.#drawing.empty;
  }

  /** Columns and rows of fields that are higher than wide, as digits are. */
  #grid() {
    return this.#drawing.width > this.#drawing.height ? [5, 2] : [4, 3];
  }

  async #keep() {
    if (this.#keeping || this.#drawing.empty) return;
    this.#keeping = true;
    part("hand-keep").disabled = true;
    try {
      let kept = 0;
      for (const written of this.#drawing.parts(...this.#grid())) {
        kept = (await service.correct(await encode(written), String(this.#digit))).pictures;
      }
      this.#ask(this.#digit + 1);
      say(part("hand-state"), this.#digit === null ? "handDone" : "handKept", { pictures: kept });
    } catch (error) {
      if (!(error instanceof service.ServiceError)) throw error;
      say(part("hand-state"), ...service.reason(error));
      part("hand-keep").disabled = false;
    } finally {
      this.#keeping = false;
    }
  }
}
