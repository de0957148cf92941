// What was read: the digits, their boxes on the sheet, the chosen one's probabilities and image.

import { NETWORK_SIDE } from "./drawing.js";
import { likeliest } from "./labels.js";
import { LEAST_CONFIDENCE } from "./service.js";
import { percent, say } from "./words.js";

const SPEAK_AFTER = 900; // ms without a change before the result is spoken
const MANY = 12; // digits; more are shown smaller

const part = (id) => document.getElementById(id);

/** The part of the page that shows a reading. */
export class Answer {
  #digits = [];
  #chosen = 0;
  #size = [1, 1];
  #spoken = 0;
  #bars;
  #onChoice;

  /** `onChoice` is told the number of the digit that one chooses. */
  constructor(onChoice) {
    this.#onChoice = onChoice;
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const row = part("bars").tBodies[0].insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = digit;
      row.append(head);
      const bar = document.createElement("span");
      row.insertCell().append(bar);
      return { row, head, bar, value: row.insertCell() };
    });
    part("reading").addEventListener("change", (event) => this.#take(Number(event.target.value)));
    this.forget();
  }

  /** Labels the bars as a model calls its classes; without names, by digits. */
  name(names) {
    this.#bars.forEach(({ head }, digit) => (head.textContent = names?.[digit] ?? digit));
  }

  /** Shows a reading of a picture of this size. */
  show(reading, width, height, ms) {
    part("no-digit").hidden = reading.digits.length > 0;
    this.#digits = reading.digits;
    this.#size = [width, height];
    this.#write(reading.lines);
    this.#mark();
    this.#choose(this.#chosen < this.#digits.length ? this.#chosen : 0);
    const confidence = Math.min(...this.#digits.map((digit) => digit.confidence));
    if (this.#digits.length) {
      say(part("facts"), "facts", { confidence: percent(confidence), ms: Math.round(ms) });
      this.#speak("spoken", { digits: reading.lines.join(", "), confidence: percent(confidence) });
    } else {
      say(part("facts"), "answered", { ms: Math.round(ms) });
      this.#speak("spokenNone");
    }
    say(part("remark"), this.#remark(), { least: percent(LEAST_CONFIDENCE) });
    part("notes").textContent = (reading.notes ?? []).join(" ");
  }

  /** Shows that there is nothing to read. */
  showEmpty() {
    part("no-digit").hidden = false;
    say(part("remark"), "empty");
  }

  /** Shows nothing, as nothing is known. */
  forget() {
    this.#digits = [];
    this.#chosen = 0;
    this.#write([]);
    this.#mark();
    this.#choose(0);
    part("no-digit").hidden = true;
    for (const id of ["facts", "remark"]) say(part(id), null);
    part("notes").textContent = "";
    this.#speak(null);
  }

  /** Chooses the digit whose box holds a place of the sheet, given in shares of its sides; whether one does. */
  chooseAt(x, y) {
    const [width, height] = this.#size;
    const holding = this.#digits.findIndex(({ box: [left, top, wide, high] }) => {
      return x * width >= left && x * width <= left + wide && y * height >= top && y * height <= top + high;
    });
    if (holding >= 0) this.#take(holding);
    return holding >= 0;
  }

  #remark() {
    if (!this.#digits.length) return "nothingRead";
    return this.#digits.some(({ digit }) => digit === null) ? "unsure" : null;
  }

  /** The lines as radio buttons. What is there already stays there, and so keeps the keyboard's focus. */
  #write(lines) {
    const reading = part("reading");
    const count = this.#digits.length;
    reading.hidden = !count;
    reading.classList.toggle("single", count === 1);
    reading.classList.toggle("small", lines.length > 1 || lines.some((line) => line.length > MANY));
    const labels = [...reading.querySelectorAll("label")];
    // Names of classes that are longer than a letter stand a space apart, and groups of them two.
    const apart = this.#digits.some(({ name }) => name?.length > 1) ? 1 : 0;
    let number = 0;
    const rows = lines.map((line) => {
      const row = document.createElement("div");
      for (let rest = line; rest; number++) {
        const word = called(this.#digits[number]);
        const spaces = rest.length - rest.trimStart().length;
        if (spaces > apart) row.append(gap());
        row.append(this.#label(labels[number] ?? radio(number), number, word, count));
        rest = rest.slice(spaces + word.length);
      }
      return row;
    });
    const focused = document.activeElement;
    reading.replaceChildren(part("choose"), ...rows);
    if (reading.contains(focused)) focused.focus({ preventScroll: true });
  }

  #label(label, number, text, count) {
    const { digit, name, confidence, probabilities } = this.#digits[number];
    label.classList.toggle("unsure", digit === null);
    label.lastElementChild.textContent = text;
    const place = { number: number + 1, count };
    const values = { digit: name ?? digit ?? likeliest(probabilities), confidence: percent(confidence), ...place };
    say(label.firstElementChild, digit === null ? "unsureLabel" : "digitLabel", values, "aria-label");
    return label;
  }

  #mark() {
    const boxes = part("boxes");
    while (boxes.children.length > this.#digits.length) boxes.lastElementChild.remove();
    while (boxes.children.length < this.#digits.length) boxes.append(document.createElement("div"));
    boxes.classList.toggle("many", boxes.children.length > MANY);
    const [width, height] = this.#size;
    this.#digits.forEach((found, number) => {
      const [x, y, wide, high] = found.box;
      const box = boxes.children[number];
      box.dataset.digit = called(found);
      box.classList.toggle("unsure", found.digit === null);
      box.classList.toggle("low", y < 0.1 * height); // the label finds no room above
      box.style.left = `${(100 * x) / width}%`;
      box.style.top = `${(100 * y) / height}%`;
      box.style.width = `${(100 * wide) / width}%`;
      box.style.height = `${(100 * high) / height}%`;
    });
  }

  /** The number of the digit that is looked at. */
  get chosen() {
    return this.#chosen;
  }

  #take(number) {
    this.#choose(number);
    this.#onChoice(number);
  }

  #choose(number) {
    this.#chosen = number;
    const digit = this.#digits[number];
    const count = this.#digits.length;
    part("reading").querySelectorAll("input").forEach((input, at) => (input.checked = at === number));
    [...part("boxes").children].forEach((box, at) => box.classList.toggle("chosen", at === number));
    const best = digit && likeliest(digit.probabilities);
    this.#bars.forEach(({ row, bar, value }, at) => {
      const chance = digit?.probabilities[at] ?? 0;
      row.className = at === best ? (digit.digit === null ? "best unsure" : "best") : "";
      bar.style.transform = `scaleX(${chance})`;
      say(value, digit ? "chance" : "noChance", { chance: percent(chance) });
    });
    say(part("bars-caption"), count > 1 ? "barsOf" : "bars", { number: number + 1, count });
    const none = digit ? noDigitChance(digit.probabilities) : 0;
    say(part("none-chance"), digit ? "noneChance" : "noneUnknown", { chance: percent(none) });
    showImage(part("seen"), digit && bytes(digit.seen));
    if (none > digit?.confidence) say(part("says"), "saysNone", { confidence: percent(none) });
    else say(part("says"), digit ? "says" : "nothingSaid", { digit: digit?.name ?? best, confidence: percent(digit?.confidence) });
  }

  /** Tells it to those who listen, once it has been the same for a moment. */
  #speak(key, replacements) {
    clearTimeout(this.#spoken);
    this.#spoken = setTimeout(() => say(part("live"), key, replacements), SPEAK_AFTER);
  }
}

/** What stands for a digit in its line. */
function called({ digit, name }) {
  return digit === null ? "?" : (name ?? String(digit));
}

/** Puts a 28×28 image, uint8 with ink bright, on a canvas; without one the canvas is cleared. */
export function showImage(canvas, image) {
  const pixels = new ImageData(NETWORK_SIDE, NETWORK_SIDE);
  image?.forEach((value, i) => pixels.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** What the probabilities of the ten digits lack to 1. */
export const noDigitChance = (ten) => Math.max(0, 1 - ten.reduce((sum, chance) => sum + chance, 0));

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function radio(number) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "digit", value: number });
  label.append(input, document.createElement("span"));
  return label;
}

function gap() {
  const space = document.createElement("span");
  space.className = "gap";
  return space;
}
