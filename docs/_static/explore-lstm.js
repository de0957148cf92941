// What an LSTM believes after each row of a digit that is read to it from top to bottom.
"use strict";

(() => {
  const root = document.getElementById("explore-lstm");
  const data = Explore.data("lstm-data"), rows = Explore.SIDE, units = data.units;
  const arrays = Object.fromEntries(Object.entries(data.arrays).map(([name, packed]) => [name, Explore.floats(packed)]));
  const figures = [...root.querySelectorAll(".classes figure")];
  const slider = root.querySelector("input[type=range]"), blank = root.querySelector(".blank");
  let image = new Uint8Array(rows * rows), beliefs = [];

  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  /** One row of 28 pixels, 0 to 1, into the state; gates stand in the order input, candidate, forget, output. */
  function step({ hidden, cell }, row) {
    const gates = Float32Array.from(arrays["input/bias"]);
    const add = (values, matrix) => values.forEach((value, i) => {
      if (value) for (let g = 0; g < gates.length; g++) gates[g] += value * matrix[i * gates.length + g];
    });
    add(row, arrays["input/weight"]);
    add(hidden, arrays.recurrent);
    const next = cell.map((old, u) =>
      sigmoid(gates[2 * units + u] + 1) * old + sigmoid(gates[u]) * Math.tanh(gates[units + u]));
    return { cell: next, hidden: next.map((value, u) => sigmoid(gates[3 * units + u]) * Math.tanh(value)) };
  }

  function belief({ hidden }) {
    const weight = arrays["output/weight"];
    const logits = Array.from({ length: 10 }, (_, digit) =>
      hidden.reduce((sum, value, u) => sum + value * weight[u * 10 + digit], arrays["output/bias"][digit]));
    return Explore.softmax(logits);
  }

  function read() {
    let state = { hidden: new Float32Array(units), cell: new Float32Array(units) };
    beliefs = [];
    for (let row = 0; row < rows; row++) {
      state = step(state, Array.from(image.subarray(row * rows, (row + 1) * rows), (value) => value / 255));
      let end = state;
      if (blank.checked) for (let rest = row + 1; rest < rows; rest++) end = step(end, []);
      beliefs.push(belief(end));
    }
    Explore.paint(root.querySelector(".image"), Array.from(image), rows, Explore.ink);
    Explore.paint(root.querySelector(".beliefs"), beliefs.flat(), 10, Explore.signed(1));
    show();
  }

  function show() {
    const row = Number(slider.value), chances = beliefs[row - 1];
    Explore.bars(figures, chances);
    root.style.setProperty("--row", row);
    root.querySelector(".row").value = row;
    root.querySelector(".answer").value = Explore.best(chances);
    root.querySelector(".chance").value = `${(100 * Math.max(...chances)).toFixed(0)} %`;
  }

  slider.addEventListener("input", show);
  blank.addEventListener("change", read);
  Explore.pad(root, data.samples, 7, (digit) => { image = digit; read(); });
})();
