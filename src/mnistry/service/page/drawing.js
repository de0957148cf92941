// The drawing as a value with a history, and how it is put on a canvas: for the screen and for the service.

const LONGEST = 600; // units of the sheet, and pixels of a drawing that is sent
const LONGEST_PICTURE = 2048; // pixels; the service makes larger ones smaller too
const MOST_UNDONE = 200;
const MARGIN = 36; // units around what is cut out of the sheet
const PAPER = "#fff";
const INK = "#000";
export const NETWORK_SIDE = 28;

/** Strokes on a sheet, or on a picture; all coordinates are units of the sheet. */
export class Drawing extends EventTarget {
  #past = [];
  #blank;
  #now;
  #active = null;

  /** Without a picture, the sheet is `width` units for 600 of the longer side. */
  constructor(aspect) {
    super();
    this.#blank = { strokes: [], picture: null, ...fitted(aspect) };
    this.#now = this.#blank;
  }

  get width() {
    return this.#now.width;
  }

  get height() {
    return this.#now.height;
  }

  get picture() {
    return this.#now.picture;
  }

  get empty() {
    return !this.#now.picture && !this.#strokes().length;
  }

  /** Whether a stroke has begun and not ended; undoing and clearing end it too. */
  get midStroke() {
    return this.#active !== null;
  }

  get canUndo() {
    return this.#past.length > 0 || Boolean(this.#active?.shown);
  }

  /** Begins a stroke; it belongs to the drawing from its first `extend` or its `end`. */
  begin(x, y, thickness) {
    this.#active = { thickness, points: [[x, y]], shown: false };
  }

  extend(points) {
    if (!this.#active) return;
    this.#active.points.push(...points);
    this.#active.shown = true;
    this.#changed();
  }

  end() {
    if (!this.#active) return;
    const { thickness, points } = this.#active;
    this.#active = null;
    this.#put({ ...this.#now, strokes: [...this.#now.strokes, { thickness, points }] });
  }

  /** Forgets the stroke that has begun. */
  cancel() {
    if (!this.#active) return;
    const { shown } = this.#active;
    this.#active = null;
    if (shown) this.#changed();
  }

  undo() {
    if (this.#active?.shown) this.cancel();
    else if (this.#past.length) {
      this.#active = null;
      this.#now = this.#past.pop();
      this.#changed();
    }
  }

  clear() {
    this.cancel();
    if (!this.empty) this.#put(this.#blank);
  }

  /** An empty sheet, with nothing to undo. */
  restart() {
    this.#active = null;
    this.#past = [];
    this.#now = this.#blank;
    this.#changed();
  }

  /** Takes a picture file for the sheet. Throws where the browser cannot decode it. */
  async take(file) {
    let picture = await createImageBitmap(file);
    const scale = LONGEST_PICTURE / Math.max(picture.width, picture.height);
    if (scale < 1) {
      const size = { resizeWidth: Math.round(picture.width * scale), resizeHeight: Math.round(picture.height * scale) };
      picture = await createImageBitmap(picture, { ...size, resizeQuality: "high" });
    }
    this.#active = null;
    this.#put({ strokes: [], picture, ...fitted(picture.width / picture.height) });
  }

  /** Draws it on a canvas as wide as the sheet times `scale`; without `paper` the ground stays clear. */
  paint(context, scale, ink, paper) {
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (paper) {
      context.fillStyle = paper;
      context.fillRect(0, 0, this.width, this.height);
    }
    if (this.picture) {
      context.imageSmoothingEnabled = (scale * this.width) / this.picture.width < 4; // else its pixels may be seen
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture, 0, 0, this.width, this.height);
    }
    stroke(context, this.#strokes(), ink);
  }

  /** A canvas with what is sent: dark ink on white paper; a picture alone keeps its own pixels. */
  render() {
    let scale = 1;
    if (this.picture) {
      scale = this.picture.width / this.width;
      if (this.#strokes().length) scale = Math.max(scale, 1);
    }
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(this.width * scale));
    canvas.height = Math.max(1, Math.round(this.height * scale));
    this.paint(canvas.getContext("2d", { willReadFrequently: true }), canvas.width / this.width, INK, PAPER);
    return canvas;
  }

  /** Canvases as of `render`, one for each cell of a grid with strokes whose middles lie in it, cut to them. */
  parts(columns, rows) {
    const cells = Array.from({ length: columns * rows }, () => []);
    for (const one of this.#strokes()) {
      const [left, top, right, bottom] = bounds([one]);
      const column = place((left + right) / 2 / this.width, columns);
      cells[columns * place((top + bottom) / 2 / this.height, rows) + column].push(one);
    }
    return cells.filter((strokes) => strokes.length).map(cut);
  }

  #strokes() {
    return this.#active?.shown ? [...this.#now.strokes, this.#active] : this.#now.strokes;
  }

  #put(state) {
    this.#past.push(this.#now);
    if (this.#past.length > MOST_UNDONE) this.#past.shift();
    this.#now = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function stroke(context, strokes, ink) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = ink;
  for (const { thickness, points } of strokes) {
    context.lineWidth = thickness;
    context.stroke(path(points));
  }
}

/** A canvas of strokes on white paper, with a margin around them. */
function cut(strokes) {
  const [left, top, right, bottom] = bounds(strokes);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(right - left) + 2 * MARGIN;
  canvas.height = Math.ceil(bottom - top) + 2 * MARGIN;
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(MARGIN - left, MARGIN - top);
  stroke(context, strokes, INK);
  return canvas;
}

/** Left, top, right and bottom of strokes. */
function bounds(strokes) {
  const [xs, ys] = [0, 1].map((axis) => strokes.flatMap(({ points }) => points.map((point) => point[axis])));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Which of so many equal parts a share lies in. */
const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);

/** The file to send: lossless, but for large pictures, whose grain would make it needlessly big. */
export function encode(canvas) {
  const type = Math.max(canvas.width, canvas.height) > 1024 ? "image/jpeg" : "image/png";
  return new Promise((done) => canvas.toBlob(done, type, 0.93));
}

/** What a program makes of a drawing that only resizes it: uint8[784], ink bright, mean of each cell's area. */
export function squeeze(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const image = new Uint8Array(NETWORK_SIDE * NETWORK_SIDE);
  for (let row = 0; row < NETWORK_SIDE; row++) {
    const [top, bottom] = cell(row, height);
    for (let column = 0; column < NETWORK_SIDE; column++) {
      const [left, right] = cell(column, width);
      let light = 0;
      for (let y = top; y < bottom; y++) {
        for (let at = 4 * (y * width + left); at < 4 * (y * width + right); at += 4) {
          light += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        }
      }
      image[row * NETWORK_SIDE + column] = Math.round(255 - light / ((bottom - top) * (right - left)));
    }
  }
  return image;
}

/** The pixels, from and to, that one of 28 cells of a side covers; at least one. */
function cell(number, side) {
  const from = Math.min(Math.floor((number * side) / NETWORK_SIDE), side - 1);
  return [from, Math.max(Math.floor(((number + 1) * side) / NETWORK_SIDE), from + 1)];
}

function fitted(aspect) {
  return aspect > 1 ? { width: LONGEST, height: LONGEST / aspect } : { width: LONGEST * aspect, height: LONGEST };
}

/** A smooth line through the middles between points, as pens are shown everywhere. */
function path(points) {
  const line = new Path2D();
  const [first] = points;
  const last = points.at(-1);
  line.moveTo(...first);
  for (let i = 1; i < points.length - 1; i++) {
    const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
    line.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  line.lineTo(...last); // a single point becomes a dot
  return line;
}
