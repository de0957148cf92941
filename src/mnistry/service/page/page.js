// The page: a drawing, and what the service reads in it, kept up to date while one draws.

import { Answer, noDigitChance, showImage } from "./answer.js";
import { chooseAppearance } from "./appearance.js";
import { Comparison } from "./comparison.js";
import { Correcting } from "./correcting.js";
import { Drawing, encode, squeeze } from "./drawing.js";
import { Hand } from "./hand.js";
import { Newest } from "./newest.js";
import { drawOn } from "./pen.js";
import { bringPictures } from "./pictures.js";
import * as service from "./service.js";
import { percent, say } from "./words.js";

const part = (id) => document.getElementById(id);
const canvas = part("canvas");
const thickness = part("thickness");
const model = part("model");

const drawing = new Drawing(matchMedia("(max-width: 40rem)").matches ? 1 : 5 / 4);
const correcting = new Correcting(drawing, () => answer.chosen);
const hand = new Hand(drawing);
const answer = new Answer((number) => correcting.choose(number));
const newest = new Newest(readNewest, readMore);
const comparison = new Comparison(() => newest.askLeisurely());

let known = false; // whether the models are listed
let classNames = new Map(); // of each model whose classes have names
let changedAt = 0; // ms; when the drawing last changed
let picture = null; // that the drawing is on
let sent = null; // {picture, squeezed} that was last sent
let explaining = new AbortController();

async function readNewest(signal) {
  const [drawnAt, name] = [changedAt, model.value];
  try {
    if (!known) {
      const { kept } = await service.corrections(signal);
      correcting.offer(kept);
      hand.offer(kept);
      listModels(await service.models(signal));
    }
    if (drawing.empty) {
      showEmpty();
    } else {
      const rendered = drawing.render();
      sent = { picture: await encode(rendered), squeezed: squeeze(rendered) };
      showImage(part("squeezed"), sent.squeezed);
      const start = performance.now();
      const reading = await service.read(sent.picture, model.value, signal);
      if (signal.aborted) return undefined;
      const ms = performance.now() - start;
      correcting.show(reading);
      answer.show(reading, rendered.width, rendered.height, ms);
      comparison.showChosen(model.value, reading, ms);
      // For those who look at the page with a browser's tools.
      performance.clearMeasures();
      performance.measure("from drawn to read", { start: drawnAt });
    }
    showTrouble(null);
    return undefined;
  } catch (error) {
    return signal.aborted ? undefined : handle(error, name);
  }
}

async function readMore(signal) {
  if (!sent) return undefined;
  const now = sent;
  try {
    showSqueezed(await service.classify(now.squeezed, model.value, signal));
    await comparison.fill(now.picture, model.value, signal);
    return undefined;
  } catch (error) {
    return signal.aborted ? undefined : handle(error, model.value);
  }
}

/** Says what went wrong, and returns the milliseconds after which to try again, or nothing. */
function handle(error, name) {
  if (!(error instanceof service.ServiceError)) throw error;
  if (error.status === 404 && name && known) {
    known = false; // its run was removed: the others are listed anew
    tell("modelGone");
    return 1;
  }
  if (error.status === 0 || error.status === 401) known = false;
  showTrouble(error);
  return error.retryAfter === null ? undefined : 1000 * error.retryAfter;
}

function showTrouble(error) {
  part("trouble").hidden = !error;
  for (const id of ["answer", "boxes"]) part(id).classList.toggle("stale", Boolean(error));
  if (!error) return;
  if (error.retryAfter === null) forget(); // it would be of another drawing for good
  say(part("trouble-text"), ...service.reason(error));
  part("trouble-detail").textContent = error.message;
  part("trouble-detail").hidden = !error.message || error.status === 401;
  part("token-form").hidden = error.status !== 401;
  part("try-now").hidden = error.retryAfter === null;
}

function tell(key, replacements) {
  part("notice").hidden = !key;
  if (key) say(part("notice-text"), key, replacements);
}

function listModels(models) {
  const before = model.value;
  model.replaceChildren(...models.map(({ name }) => new Option(name, name)));
  model.value = models.some(({ name }) => name === before) ? before : models[0].name;
  classNames = new Map(models.map(({ name, class_names }) => [name, class_names]));
  answer.name(classNames.get(model.value));
  comparison.list(models);
  comparison.showChosen(model.value, null);
  known = true;
}

function showEmpty() {
  forget();
  answer.showEmpty();
}

/** Shows nothing of what was read. */
function forget() {
  sent = null;
  correcting.show(null);
  answer.forget();
  comparison.clear();
  showImage(part("squeezed"), null);
  say(part("would-say"), "nothingSaid");
  part("would-say").classList.remove("stale");
}

function showSqueezed({ digit, confidence, probabilities }) {
  const none = noDigitChance(probabilities);
  if (none > confidence) say(part("would-say"), "wouldSayNone", { confidence: percent(none) });
  else say(part("would-say"), "wouldSay", { digit, confidence: percent(confidence) });
  part("would-say").classList.remove("stale");
}

function showDrawing() {
  part("sheet").style.setProperty("--aspect", drawing.width / drawing.height);
  part("hint").hidden = !drawing.empty;
  part("undo").disabled = !drawing.canUndo;
  part("clear").disabled = part("explain").disabled = drawing.empty;
  paint();
}

function paint() {
  const { color } = getComputedStyle(canvas);
  const onPicture = drawing.picture !== null;
  const scale = canvas.width / drawing.width;
  drawing.paint(canvas.getContext("2d"), scale, onPicture ? "#000" : color, onPicture ? "#fff" : null);
}

function showThickness() {
  const { style } = part("dot");
  style.width = style.height = `${(thickness.value * canvas.clientWidth) / drawing.width}px`;
}

drawing.addEventListener("change", () => {
  changedAt = performance.now();
  part("would-say").classList.add("stale");
  comparison.forget();
  if (!part("stages").hidden) say(part("stages-state"), "stale");
  part("stages").classList.add("stale");
  tell(null);
  if (drawing.picture !== picture) forget(); // its boxes would be on another picture
  picture = drawing.picture;
  showDrawing();
  if (drawing.empty) newest.restart();
  else newest.ask();
});

new ResizeObserver(([{ contentRect }]) => {
  canvas.width = Math.round(contentRect.width * devicePixelRatio);
  canvas.height = Math.round(contentRect.height * devicePixelRatio);
  paint();
  showThickness();
}).observe(canvas);

drawOn(canvas, drawing, {
  thickness: () => Number(thickness.value),
  tapped: (x, y) => answer.chooseAt(x / drawing.width, y / drawing.height),
});

bringPictures(async (file, remark) => {
  try {
    await drawing.take(file);
    tell(remark);
  } catch {
    tell("notPicture", { name: file.name });
  }
}, tell);

thickness.addEventListener("input", showThickness);
part("undo").addEventListener("click", () => drawing.undo());
part("clear").addEventListener("click", () => drawing.clear());
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=password]") || document.querySelector("dialog[open]")) return;
  const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
  const clear = event.key === "Delete" || event.key === "Backspace";
  if (!undo && !clear) return;
  event.preventDefault();
  if (undo) drawing.undo();
  else drawing.clear();
});

model.addEventListener("change", () => {
  part("would-say").classList.add("stale");
  answer.name(classNames.get(model.value));
  comparison.showChosen(model.value, null);
  newest.restart();
});
part("try-now").addEventListener("click", () => newest.restart());
part("dismiss").addEventListener("click", () => tell(null));
part("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  service.setToken(part("token").value);
  part("token").value = "";
  newest.restart();
});

part("explain").addEventListener("click", async () => {
  explaining.abort();
  explaining = new AbortController();
  const { signal } = explaining;
  const explained = changedAt;
  say(part("stages-state"), "explaining");
  try {
    const sheet = await service.explain(await encode(drawing.render()), model.value, signal);
    const image = part("stages-image");
    URL.revokeObjectURL(image.src);
    image.src = part("stages-open").href = URL.createObjectURL(sheet);
    part("stages").hidden = false;
    part("stages").classList.toggle("stale", explained !== changedAt);
    say(part("stages-state"), explained === changedAt ? null : "stale");
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof service.ServiceError)) throw error;
    say(part("stages-state"), ...service.reason(error));
  }
});

chooseAppearance(paint);
showDrawing();
newest.ask();
