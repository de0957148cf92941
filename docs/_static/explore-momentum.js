// Two balls on a slope with a rise in it: gradient descent as it is, and with momentum.
"use strict";

(() => {
  const root = document.getElementById("explore-momentum");
  const svg = root.querySelector("svg"), steps = root.querySelector(".step"), play = root.querySelector(".play");
  const [rate, momentum, start] = [".rate", ".momentum", ".start"].map((name) => root.querySelector(name));
  const WIDTH = 600, HEIGHT = 260, LAST = 10;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const height = (x) => 0.05 * (x - 8) ** 2 + 0.5 * Math.exp(-(((x - 4.6) / 0.75) ** 2));
  const slope = (x) => 0.1 * (x - 8) - (x - 4.6) / 0.75 ** 2 * Math.exp(-(((x - 4.6) / 0.75) ** 2));
  const across = (x) => 10 + (WIDTH - 20) * x / LAST;
  const up = (x) => HEIGHT - 20 - (HEIGHT - 50) * height(x) / height(0);

  const resting = (ball) => Math.abs(ball.speed) < 1e-4 && Math.abs(slope(ball.x)) < 1e-2;
  const over = () => made >= 300 || (made > 0 && balls.every(resting));

  const balls = [
    { name: "plain", momentum: () => 0 },
    { name: "with", momentum: () => Number(momentum.value) },
  ];
  let made = 0;

  function element(name, attributes) {
    const made_ = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made_.setAttribute(key, value));
    svg.append(made_);
    return made_;
  }

  const points = Array.from({ length: 201 }, (_, i) => `${across(i / 20)},${up(i / 20)}`).join(" ");
  element("polyline", { points, class: "slope" });
  for (const ball of balls) {
    ball.trail = element("path", { class: `trail ${ball.name}` });
    ball.circle = element("circle", { class: ball.name, r: 8 });
  }

  function show() {
    for (const ball of balls) {
      ball.circle.setAttribute("cx", across(ball.x));
      ball.circle.setAttribute("cy", up(ball.x) - 8);
      ball.trail.setAttribute("d", ball.seen.map((x) => `M${across(x)} ${up(x)}v.01`).join(""));
      root.querySelector(`output.${ball.name}`).value = height(ball.x).toFixed(3);
    }
    steps.value = made;
    root.querySelector(".rate-value").value = Number(rate.value).toFixed(2);
    root.querySelector(".momentum-value").value = Number(momentum.value).toFixed(2);
  }

  function back() {
    player.stop();
    made = 0;
    for (const ball of balls) Object.assign(ball, { x: Number(start.value), speed: 0, seen: [Number(start.value)] });
    show();
  }

  function step() {
    made += 1;
    for (const ball of balls) {
      ball.speed = ball.momentum() * ball.speed - Number(rate.value) * slope(ball.x);
      ball.x += ball.speed;
      if (ball.x < 0 || ball.x > LAST) { // off the slope: against the wall
        ball.x = Math.min(LAST, Math.max(0, ball.x));
        ball.speed = 0;
      }
      ball.seen.push(ball.x);
    }
    show();
    if (over()) player.stop();
  }

  const player = Explore.player(play, 60, step);

  play.addEventListener("click", () => {
    if (player.plays()) return player.stop();
    if (over()) back();
    if (still.matches) { // the end at once, for who wants nothing to move
      do step(); while (!over());
      return undefined;
    }
    return player.start();
  });
  root.querySelector(".one").addEventListener("click", () => { player.stop(); step(); });
  root.querySelector(".back").addEventListener("click", back);
  start.addEventListener("input", back);
  for (const control of [rate, momentum]) control.addEventListener("input", back);
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    start.value = ((event.clientX - box.left) / box.width * WIDTH - 10) / (WIDTH - 20) * LAST;
    back();
  });
  back();
})();
