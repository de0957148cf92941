// Drawing on the sheet: with mouse, finger or pen, and with the keyboard.

import { say } from "./words.js";

const TAP = 5; // CSS pixels that a tap may stray
const STEP = 6; // units of the sheet that an arrow key moves the pen
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Lets one draw on a canvas.
 *
 * `thickness()` gives that of a new stroke. `tapped(x, y)` is asked where someone only taps, and returns
 * true where that was meant for something else than a dot.
 */
export function drawOn(canvas, drawing, { thickness, tapped }) {
  let pointer = null; // {id, x, y, moved} of the one that draws; a palm or a second finger does not

  const onSheet = (event) => {
    const place = canvas.getBoundingClientRect();
    const scale = drawing.width / place.width;
    return [(event.clientX - place.left) * scale, (event.clientY - place.top) * scale];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer || event.button !== 0) return;
    keyboard.lift();
    canvas.setPointerCapture(event.pointerId);
    pointer = { id: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
    drawing.begin(...onSheet(event), thickness());
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer?.id) return;
    pointer.moved ||= Math.hypot(event.clientX - pointer.x, event.clientY - pointer.y) > TAP;
    if (!pointer.moved) return;
    const events = event.getCoalescedEvents?.() ?? [];
    drawing.extend((events.length ? events : [event]).map(onSheet));
  });

  canvas.addEventListener("pointerup", (event) => {
    if (event.pointerId !== pointer?.id) return;
    if (!pointer.moved && tapped(...onSheet(event))) drawing.cancel();
    else drawing.end();
    pointer = null;
  });

  canvas.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== pointer?.id) return;
    drawing.cancel();
    pointer = null;
  });

  const keyboard = drawWithKeys(canvas, drawing, thickness);
}

/** Arrow keys move a pen over the focused canvas; the space bar puts it down or lifts it. */
function drawWithKeys(canvas, drawing, thickness) {
  const mark = document.getElementById("pen");
  const state = document.getElementById("pen-state");
  let place = null; // of the pen, from the first key on

  function show() {
    mark.hidden = !place;
    if (!place) return;
    mark.style.left = `${(100 * place[0]) / drawing.width}%`;
    mark.style.top = `${(100 * place[1]) / drawing.height}%`;
    mark.classList.toggle("down", drawing.midStroke);
  }

  function lift() {
    if (!place) return;
    drawing.end();
    place = null;
    show();
  }

  canvas.addEventListener("keydown", (event) => {
    const direction = DIRECTIONS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (!direction && event.key !== " ")) return;
    event.preventDefault();
    if (!place && drawing.midStroke) return; // someone draws with a pointer
    place ??= [drawing.width / 2, drawing.height / 2];
    if (direction) {
      const step = event.shiftKey ? 4 * STEP : STEP;
      const limits = [drawing.width, drawing.height];
      place = place.map((value, axis) => Math.min(Math.max(value + step * direction[axis], 0), limits[axis]));
      drawing.extend([place]);
    } else if (!event.repeat) {
      if (drawing.midStroke) drawing.end();
      else drawing.begin(...place, thickness());
      say(state, drawing.midStroke ? "penDown" : "penUp");
    }
    show();
  });

  canvas.addEventListener("blur", lift);
  drawing.addEventListener("change", show);
  return { lift };
}
