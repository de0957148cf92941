// One piece of work at a time; of all that is asked for meanwhile, only the newest is done.

const PATIENCE = 1000; // ms before work on something old is given up for something newer
const QUIET = 150; // ms without anything new before there is time for what is less urgent

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Keeps an answer up to date with a question that changes many times a second.
 *
 * `urgent(signal)` answers the newest question. `leisurely(signal)` follows when nothing has changed for a
 * moment, and is aborted as soon as something does. After a failure either returns the milliseconds to
 * wait before all is tried again.
 */
export class Newest {
  #urgent;
  #leisurely;
  #asked = 0;
  #answered = 0;
  #startedAt = 0;
  #controller = null;
  #leisure = new AbortController();
  #again = 0;
  #waitUntil = 0;

  constructor(urgent, leisurely) {
    this.#urgent = urgent;
    this.#leisurely = leisurely;
  }

  /** The question has changed. */
  ask() {
    this.#asked++;
    this.#leisure.abort();
    if (!this.#controller) {
      if (performance.now() >= this.#waitUntil) this.#run();
    } else if (performance.now() - this.#startedAt > PATIENCE) this.#controller.abort();
  }

  /** The question is another one altogether, or the service is well again: what is under way is of no use. */
  restart() {
    clearTimeout(this.#again);
    this.#waitUntil = 0;
    this.#controller?.abort();
    this.ask();
  }

  /** There is something new to do at leisure only. */
  askLeisurely() {
    this.#leisure.abort();
    if (!this.#controller && performance.now() >= this.#waitUntil) this.#rest();
  }

  async #run() {
    while (this.#answered !== this.#asked) {
      const asked = this.#asked;
      this.#controller = new AbortController();
      this.#startedAt = performance.now();
      let wait;
      try {
        wait = await this.#urgent(this.#controller.signal);
      } finally {
        this.#controller = null;
        this.#answered = asked;
      }
      if (wait) return this.#callAgain(wait);
    }
    return this.#rest();
  }

  async #rest() {
    this.#leisure = new AbortController();
    const { signal } = this.#leisure;
    await sleep(QUIET);
    if (signal.aborted) return;
    const wait = await this.#leisurely(signal);
    if (wait) this.#callAgain(wait);
  }

  #callAgain(wait) {
    clearTimeout(this.#again);
    this.#waitUntil = performance.now() + wait;
    this.#again = setTimeout(() => this.restart(), wait);
  }
}
