// Labelling pictures of one's own: one after the other, with what the reader reads as a suggestion.

import { chooseAppearance } from "./appearance.js";
import { asLabel, tidy } from "./labels.js";
import * as service from "./service.js";
import { say } from "./words.js";

const part = (id) => document.getElementById(id);
const right = part("right");

let pictures = []; // {file, label}: null where there is none yet
let at = 0; // which of them is shown
let shown = new AbortController();
const looked = new Map(); // number → promise of {picture, suggestion, error}, of this picture and the next

/** Fetches a picture and reads it; what goes wrong with it is told when it is shown. */
function look(number) {
  if (!looked.has(number)) looked.set(number, fetched(number));
  return looked.get(number);
}

async function fetched(number) {
  const found = { picture: null, suggestion: "", error: null };
  try {
    found.picture = await service.pictureToLabel(pictures[number].file);
    found.suggestion = asLabel(await service.read(found.picture, "", service.NEVER)) ?? "";
  } catch (error) {
    if (!(error instanceof service.ServiceError)) throw error;
    found.error = error;
    looked.delete(number); // it is tried again when it is shown again
  }
  return found;
}

async function show(number) {
  at = Math.min(Math.max(number, 0), pictures.length - 1);
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const { file, label } = pictures[at];
  part("file").textContent = file;
  showProgress();
  tell(null);
  right.value = "";
  right.readOnly = true; // until it is known what is suggested: nothing is accepted unseen
  for (const other of looked.keys()) if (Math.abs(other - at) > 2) looked.delete(other);
  const { picture, suggestion, error } = await look(at);
  if (signal.aborted) return;
  URL.revokeObjectURL(part("picture").src);
  if (picture) part("picture").src = URL.createObjectURL(picture);
  else part("picture").removeAttribute("src");
  part("picture").hidden = !picture;
  right.readOnly = !picture;
  right.value = label ?? suggestion;
  showMeaning();
  right.focus();
  right.select();
  if (error) fail(error);
  else if (label !== null) say(part("state"), label ? "labelledAs" : "labelledNone", { label });
  else say(part("state"), suggestion ? "suggested" : "nothingSuggested");
  if (at + 1 < pictures.length) look(at + 1);
}

function showProgress() {
  const done = pictures.filter(({ label }) => label !== null).length;
  say(part("progress"), done === pictures.length ? "allLabelled" : "labelled", { number: at + 1, done, count: pictures.length });
}

/** What Enter does: an empty field says that there are no digits. */
function showMeaning() {
  say(part("accept"), tidy(right.value) ? "accept" : "markNone");
}

async function keep(label) {
  if (right.readOnly) return;
  const number = at;
  right.readOnly = true;
  try {
    await service.label(pictures[number].file, label);
    pictures[number].label = label;
    if (number < pictures.length - 1) await show(number + 1);
    else {
      showProgress();
      say(part("state"), pictures.some((one) => one.label === null) ? "lastOne" : "done");
      part("detail").textContent = "";
    }
  } catch (error) {
    if (!(error instanceof service.ServiceError)) throw error;
    fail(error);
  } finally {
    if (number === at) right.readOnly = false;
  }
}

function fail(error) {
  say(part("state"), ...service.reason(error));
  part("detail").textContent = error.message;
}

function tell(key) {
  say(part("state"), key);
  part("detail").textContent = "";
}

/** The first picture after this one, or else of all, that has no label. */
function nextOpen() {
  const open = (from) => pictures.findIndex(({ label }, number) => label === null && number >= from);
  const next = open(at + 1);
  return next >= 0 ? next : Math.max(open(0), 0);
}

const KEYS = { "-": () => keep(""), ArrowDown: () => show(at + 1), ArrowUp: () => show(at - 1) };

right.addEventListener("input", showMeaning);
part("label").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(tidy(right.value));
});
document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || !pictures.length) return;
  event.preventDefault();
  act();
});
for (const [id, act] of Object.entries({
  none: () => keep(""),
  skip: () => show(at + 1),
  back: () => show(at - 1),
  "open-next": () => show(nextOpen()),
})) part(id).addEventListener("click", act);

chooseAppearance(() => {});
try {
  ({ pictures } = await service.picturesToLabel());
  at = -1;
  await show(nextOpen());
} catch (error) {
  if (!(error instanceof service.ServiceError)) throw error;
  fail(error);
}
