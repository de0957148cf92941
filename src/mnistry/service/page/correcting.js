// "This is wrong": what is to be read in the drawing, as its user says, is kept by the service to teach with.

import { encode } from "./drawing.js";
import { asLabel, placeOf, tidy } from "./labels.js";
import * as service from "./service.js";
import { say } from "./words.js";

const part = (id) => document.getElementById(id);

/** The part of the page that corrects what was read; it needs a service that keeps corrections. */
export class Correcting {
  #drawing;
  #kept = false;
  #label = null; // of the reading that is shown
  #chosen;

  /** `chosen` gives the number of the digit that is looked at. */
  constructor(drawing, chosen) {
    this.#drawing = drawing;
    this.#chosen = chosen;
    // What is kept is what is to be seen: a correction ends where the drawing changes, not where it is read late.
    drawing.addEventListener("change", () => this.#close());
    const form = part("correction");
    part("wrong").addEventListener("click", () => this.#open());
    part("cancel-correction").addEventListener("click", () => this.#close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep();
    });
    // The page has its own meaning for some keys, and takes pictures that are pasted.
    for (const kind of ["keydown", "paste"]) form.addEventListener(kind, (event) => event.stopPropagation());
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    document.addEventListener("keydown", (event) => {
      const field = event.target.matches("select, input:not([type=radio])") || document.querySelector("dialog[open]");
      if (field || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9]$/.test(event.key)) return;
      if (this.#label === null || !this.#kept) return;
      event.preventDefault();
      this.#open(event.key);
    });
  }

  /** Whether the service keeps corrections. */
  offer(kept) {
    this.#kept = kept;
    for (const id of ["wrong", "key-correct"]) part(id).hidden = !kept;
    part("correct-how").hidden = kept;
  }

  /** Another reading is shown, or, with null, none. */
  show(reading) {
    this.#label = reading && asLabel(reading);
    part("wrong").disabled = this.#label === null;
  }

  /** One chooses a digit of it: it is the one to type over. */
  choose(number) {
    if (!part("correction").hidden) this.#point(number);
  }

  /** Begins a correction, with a digit in place of the chosen one, and the next one to type over. */
  #open(digit = null) {
    const label = this.#label;
    const chosen = this.#chosen();
    const place = placeOf(label, chosen);
    part("right").value = digit === null ? label : label.slice(0, place) + digit + label.slice(place + 1);
    part("correction").hidden = false;
    part("wrong").hidden = true;
    this.#tell(null);
    this.#point(chosen + (digit === null ? 0 : 1));
  }

  #point(number) {
    const right = part("right");
    const place = placeOf(right.value, number);
    right.focus();
    right.setSelectionRange(place, place + 1);
  }

  #close() {
    this.#tell(null);
    const focused = part("correction").contains(document.activeElement);
    part("correction").hidden = true;
    part("wrong").hidden = !this.#kept;
    if (focused) part("wrong").focus();
  }

  async #keep() {
    const label = tidy(part("right").value);
    try {
      const { pictures } = await service.correct(await encode(this.#drawing.render()), label);
      this.#close();
      if (label) this.#tell("keptAs", { label, pictures });
      else this.#tell("keptEmpty", { pictures });
    } catch (error) {
      if (!(error instanceof service.ServiceError)) throw error;
      this.#tell(...service.reason(error));
      part("kept-detail").textContent = error.message;
    }
  }

  #tell(key, replacements) {
    say(part("kept"), key, replacements);
    part("kept-detail").textContent = "";
  }
}
