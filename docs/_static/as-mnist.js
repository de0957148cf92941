function asMnist(ink, height, width) {
  const brightest = ink.reduce((a, b) => Math.max(a, b), 0), rows = [], columns = [];
  ink.forEach((v, i) => { if (v > 0.01 * brightest) { rows.push(Math.floor(i / width)); columns.push(i % width); } });
  const span = (a) => a.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v + 1)], [Infinity, 0]);
  const [top, bottom] = span(rows), [left, right] = span(columns), scale = 20 / Math.max(bottom - top, right - left);
  const [h, w] = [bottom - top, right - left].map((side) => Math.max(1, Math.round(side * scale)));
  const covered = (i, from, to, n) => Array.from({length: to - from}, (_, k) =>  // how much of each pixel, by target i
    Math.max(0, Math.min(k + 1, (i + 1) * (to - from) / n) - Math.max(k, i * (to - from) / n)));
  const small = Array.from({length: h * w}, (_, i) => {
    const down = covered(Math.floor(i / w), top, bottom, h), across = covered(i % w, left, right, w);
    return down.reduce((sum, a, y) => a && sum + a * across.reduce((s, b, x) => s + b * ink[(top + y) * width + left + x], 0) || sum, 0);
  });
  const most = Math.max(...small), mass = small.reduce((a, b) => a + b), image = new Uint8Array(28 * 28);
  const start = (n, place) => Math.min(28 - n, Math.max(0, Math.ceil(13.5 - 1e-4 - small.reduce((s, v, i) => s + v * place(i), 0) / mass)));
  const y0 = start(h, (i) => Math.floor(i / w)), x0 = start(w, (i) => i % w);
  small.forEach((v, i) => { image[(y0 + Math.floor(i / w)) * 28 + x0 + i % w] = Math.round(v * 255 / most); });
  return image;
}
