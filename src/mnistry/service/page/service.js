// The service's HTTP interface, as far as the page uses it.

import { forThisTab } from "./storage.js";

/** A digit of less is given as `?`. */
export const LEAST_CONFIDENCE = 0.25;

const TOKEN = "mnistry-token";
const TIMEOUT = 20_000; // ms
export const NEVER = new AbortController().signal;
const WITH_LEAST = `min_confidence=${LEAST_CONFIDENCE}`;

/** Why the service did not do what it was asked for; status 0: there was no answer. */
export class ServiceError extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter; // seconds, or null where asking again is of no use
  }
}

let token = forThisTab.get(TOKEN);

/** The token for all requests of this tab. */
export function setToken(given) {
  token = given;
  forThisTab.set(TOKEN, token);
}

export const hasToken = () => Boolean(token);

/** The digits in a picture, with all probabilities and what the network saw. */
export async function read(picture, model, signal) {
  const answer = await ask(`v1/read?probabilities=true&seen=true&${WITH_LEAST}${named(model, "&")}`, signal, picture);
  return answer.json();
}

/** A picture of all stages of reading one. */
export async function explain(picture, model, signal) {
  return (await ask(`v1/explain?${WITH_LEAST}${named(model, "&")}`, signal, picture)).blob();
}

/** What a model says of one 28×28 image, uint8, ink bright: digit or name, confidence, ten probabilities. */
export async function classify(image, model, signal) {
  const body = new Blob([image], { type: "application/octet-stream" });
  const answer = await (await ask(`v1/classify${named(model, "?")}`, signal, body)).json();
  const digit = (answer.names ?? answer.digits)[0];
  return { digit, confidence: answer.confidences[0], probabilities: answer.probabilities[0] };
}

/** All models, the default one first. */
export async function models(signal) {
  const { models } = await (await ask("v1/models", signal)).json();
  return models.sort((one, other) => other.default - one.default);
}

/** Whether corrections are kept, and how many pictures there are. */
export const corrections = async (signal) => (await ask("v1/corrections", signal)).json();

/** Has a picture kept with what is to be read in it. */
export async function correct(picture, label) {
  return (await ask(`v1/corrections?lines=${encodeURIComponent(label)}`, NEVER, picture)).json();
}

/** All pictures of the folder that is labelled: {pictures: [{file, label}]}; null is no label. */
export const picturesToLabel = async () => (await ask("v1/pictures", NEVER)).json();

/** One of them. */
export const pictureToLabel = async (file) => (await ask(`v1/picture?file=${encodeURIComponent(file)}`, NEVER)).blob();

/** Writes what is to be read in one of them into the folder's table. */
export const label = (file, text) =>
  ask(`v1/picture?file=${encodeURIComponent(file)}&lines=${encodeURIComponent(text)}`, NEVER, new Blob([]));

/** The word for what went wrong, and its values. */
export function reason({ status, retryAfter }) {
  if (status === 401) return [hasToken() ? "tokenWrong" : "tokenWanted"];
  if (status === 0 || gateway(status)) return ["gone"];
  if (retryAfter !== null) return ["busy"];
  if (status === 507) return ["full"];
  if (status === 400 || status === 413 || status === 415 || status === 422) return ["refused"];
  return ["failed", { status }];
}

async function ask(path, signal, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
    answer = await fetch(path, { method: body ? "POST" : "GET", body, headers, signal: stop, cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServiceError(0, "", 2);
  }
  if (answer.ok) return answer;
  const wait = Number.parseFloat(answer.headers.get("Retry-After"));
  const problem = await answer.json().catch(() => ({}));
  const again = [429, 503].includes(answer.status) && Number.isFinite(wait);
  throw new ServiceError(answer.status, problem.detail ?? "", again ? wait : gateway(answer.status) ? 2 : null);
}

/** A proxy in front of the service answers so when the service itself does not. */
const gateway = (status) => status === 502 || status === 504;

const named = (model, before) => (model ? `${before}model=${encodeURIComponent(model)}` : "");
