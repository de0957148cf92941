// The ten weight pictures of softmax regression as they grow, and what they make of a digit at each step.
"use strict";

(() => {
  const root = document.getElementById("explore-softmax");
  const data = Explore.data("softmax-data"), size = Explore.SIDE ** 2;
  const snapshots = data.steps.length, weights = Explore.floats(data.weights), biases = Explore.floats(data.biases);
  const figures = [...root.querySelectorAll(".classes figure")];
  const slider = root.querySelector("input[type=range]"), play = root.querySelector(".play");
  let image = new Uint8Array(size);

  // The colours have one scale for all steps, so that growing is seen.
  const scale = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 1.5;
  slider.max = snapshots - 1;

  function show() {
    const at = Number(slider.value), own = weights.subarray(at * size * 10, (at + 1) * size * 10);
    const logits = figures.map((figure, digit) => {
      const values = Array.from({ length: size }, (_, pixel) => own[pixel * 10 + digit]);
      Explore.paint(figure.querySelector("canvas"), values, Explore.SIDE, Explore.signed(scale));
      return values.reduce((sum, weight, pixel) => sum + weight * image[pixel] / 255, biases[at * 10 + digit]);
    });
    Explore.bars(figures, Explore.softmax(logits));
    root.querySelector(".step").value = data.steps[at];
    root.querySelector(".loss").value = data.loss[at].toFixed(3);
    root.querySelector(".accuracy").value = `${(100 * data.accuracy[at]).toFixed(1)} %`;
  }

  function step() {
    slider.value = Number(slider.value) + 1;
    show();
    if (Number(slider.value) === snapshots - 1) player.stop();
  }

  const player = Explore.player(play, 350, step);

  play.addEventListener("click", () => {
    if (player.plays()) return player.stop();
    if (Number(slider.value) === snapshots - 1) slider.value = 0;
    player.start();
    return show();
  });
  slider.addEventListener("input", () => { player.stop(); show(); });
  slider.value = snapshots - 1;
  Explore.pad(root, data.samples, 3, (digit) => { image = digit; show(); });
})();
