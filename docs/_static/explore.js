// What the explorables share: the numbers that the build has written into the page, and a pad to draw a digit on.
// Plain scripts, because a page that is opened as a file may load no modules. All words stand in the page.
"use strict";

const Explore = {
  SIDE: 28,

  /** The values that the build wrote as JSON into the element with this identifier. */
  data: (id) => JSON.parse(document.getElementById(id).textContent),

  /** Base64 as bytes. */
  bytes: (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)),

  /** An array that the build packed as whole numbers of 16 bits and a scale. */
  floats({ scale, values }) {
    return Float32Array.from(new Int16Array(Explore.bytes(values).buffer), (value) => value * scale);
  },

  softmax(logits) {
    const most = Math.max(...logits), powers = logits.map((logit) => Math.exp(logit - most));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  },

  /** Where the greatest of some values stands. */
  best: (values) => values.indexOf(Math.max(...values)),

  /** Paints each value as a pixel: `colour` gives its red, green, blue and opacity, all up to 255. */
  paint(canvas, values, width, colour) {
    [canvas.width, canvas.height] = [width, values.length / width];
    const picture = canvas.getContext("2d").createImageData(canvas.width, canvas.height);
    values.forEach((value, i) => picture.data.set(colour(value), 4 * i));
    canvas.getContext("2d").putImageData(picture, 0, 0);
  },

  /** Blue for what is positive, orange for what is negative, clear at 0: seen on light and on dark. */
  signed: (scale) => (value) =>
    [...(value > 0 ? [74, 108, 247] : [232, 89, 12]), Math.min(255, 255 * Math.abs(value) / scale)],

  ink: (value) => [127, 127, 127, value],

  /** Sets the bar in a figure of a class, and whether it is the greatest. */
  bars(figures, chances) {
    const first = Explore.best(chances);
    figures.forEach((figure, digit) => {
      figure.style.setProperty("--chance", chances[digit]);
      figure.classList.toggle("first", digit === first);
      figure.title = `${digit}: ${(100 * chances[digit]).toFixed(1)} %`;
    });
  },

  /** What a button starts and stops: the same step again and again, a pause (milliseconds) between. */
  player(button, pause, step) {
    let timer = 0;
    return {
      plays: () => timer !== 0,
      start() {
        button.setAttribute("aria-pressed", "true");
        timer = setInterval(step, pause);
      },
      stop() {
        clearInterval(timer);
        timer = 0;
        button.setAttribute("aria-pressed", "false");
      },
    };
  },

  /**
   * A pad to draw on, and digits to choose instead.
   * @param {Element} root - holds a canvas `.pad`, a button `.clear` and an empty `.samples`.
   * @param {{images: string, labels: number[]}} samples - digits of the test part, 28×28 bytes each.
   * @param {(image: Uint8Array) => void} seen - is told the digit as MNIST has it; at first of the sample `first`.
   */
  pad(root, samples, first, seen) {
    const canvas = root.querySelector(".pad"), pen = canvas.getContext("2d", { willReadFrequently: true });
    const images = Explore.bytes(samples.images), size = Explore.SIDE ** 2;
    let last = null;

    const clear = () => pen.clearRect(0, 0, canvas.width, canvas.height);
    const place = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      return [(clientX - box.left) / box.width * canvas.width, (clientY - box.top) / box.height * canvas.height];
    };
    const drawn = () => {
      const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
      const ink = Float32Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i + 3]);
      if (ink.some((value) => value > 0)) seen(asMnist(ink, canvas.height, canvas.width));
    };
    const line = (from, to) => {
      Object.assign(pen, { lineWidth: canvas.width / 11, lineCap: "round", strokeStyle: "#808080" });
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    };

    canvas.addEventListener("pointerdown", (event) => {
      if (canvas.dataset.shows) { clear(); delete canvas.dataset.shows; }
      canvas.setPointerCapture(event.pointerId);
      last = place(event);
      line(last, last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(event);
      line(last, next);
      last = next;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => { if (last) { last = null; drawn(); } });
    }
    root.querySelector(".clear").addEventListener("click", clear);

    const choose = (image) => {
      clear();
      canvas.dataset.shows = "sample"; // a stroke begins a new drawing
      const small = document.createElement("canvas");
      Explore.paint(small, Array.from(image), Explore.SIDE, (value) => [128, 128, 128, value]);
      pen.drawImage(small, 0, 0, canvas.width, canvas.height);
      seen(image);
    };
    samples.labels.forEach((label, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.addEventListener("click", () => choose(images.subarray(i * size, (i + 1) * size)));
      root.querySelector(".samples").append(button);
    });
    choose(images.subarray(first * size, (first + 1) * size));
  },
};
