"""The report's style sheet. One accent for what is right, one warm colour for what is wrong.

No element has a style of its own, so that the file's policy can name this sheet and forbid all others.
"""

from collections.abc import Sequence

HEATS = 20
"""The classes `h0` to `h20` colour a cell of the confusion matrix, ever stronger."""

COLOURS = 8
"""The classes `c0` to `c7` tell the curves of recipes apart."""


def sized_for(class_names: Sequence[str]) -> str:
    """What the confusion matrix needs to know of its classes."""
    longest = min(12, max(map(len, class_names)))
    return f".confusion {{ --classes: {len(class_names)}; --longest: {longest}; }}\n"


CSS = """
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --surface: #ffffff; --ink: #1c1c21; --muted: #64646e; --line: #e7e7e3;
  --right: 58 84 186; --wrong: 205 82 24; --on-right: #ffffff; --on-wrong: #1c1c21;
    --digit: invert(1); --glow: none;
  --c0: 58 84 186; --c1: 205 82 24; --c2: 20 128 94; --c3: 146 62 160; --c4: 150 112 0; --c5: 10 128 168;
  --c6: 196 48 120; --c7: 100 100 110;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131317; --surface: #1a1a1f; --ink: #ececf1; --muted: #a0a0ac; --line: #2e2e36;
    --right: 142 163 255; --wrong: 255 152 96; --on-right: #131317; --on-wrong: #131317;
    --digit: none; --glow: brightness(1.4);
    --c0: 142 163 255; --c1: 255 152 96; --c2: 84 204 158; --c3: 222 150 236; --c4: 222 184 72;
    --c5: 96 196 236; --c6: 255 136 186; --c7: 170 170 182;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 66rem; margin: 0 auto; padding: clamp(2rem, 6vw, 5rem) clamp(1rem, 4vw, 3rem); }
h1 { font-size: clamp(1.75rem, 5vw, 2.75rem); line-height: 1.15; letter-spacing: -0.02em; margin: 0;
  font-weight: 650; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin: 0 0 .35rem; font-weight: 650; }
section { margin-top: clamp(3rem, 7vw, 4.5rem); }
.lead { color: var(--muted); max-width: 44rem; margin: 0 0 1.5rem; text-wrap: pretty; }
header .lead { margin: .75rem 0 0; }
small { font-size: .8125rem; color: var(--muted); }
footer { margin-top: 4.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line);
  color: var(--muted); font-size: .8125rem; }
footer p { max-width: 44rem; margin: 0 0 .5rem; }

.headline { display: flex; flex-wrap: wrap; gap: 1.75rem 3rem; margin: 2.5rem 0 0; align-items: flex-end; }
.headline dt { color: var(--muted); font-size: .875rem; }
.headline dd { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
.headline dd small { display: block; font-weight: 400; letter-spacing: 0; line-height: 1.5; }
.headline .hero { flex: 1 0 16rem; }
.headline .hero dd { font-size: clamp(3rem, 9vw, 4.25rem); line-height: 1.05; letter-spacing: -0.035em;
  color: rgb(var(--right)); }
.headline .hero small { font-size: .875rem; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr));
  gap: 1.25rem; align-items: start; }
figure { margin: 0; }
.chart, .panel { background: var(--surface); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem 1.125rem; min-width: 0; }
.chart { max-width: 40rem; }
.chart svg { display: block; width: 100%; height: auto; margin-top: .5rem; overflow: visible; }
.chart text { font-size: 12px; fill: var(--muted); }
.chart text.n { font-size: 9.5px; }
.middle { text-anchor: middle; }
text.end { text-anchor: end; }
.grid { stroke: var(--line); }
.tick { stroke: var(--muted); stroke-opacity: .6; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.curve.main { stroke: rgb(var(--right)); }
.curve.second { stroke: rgb(var(--wrong)); }
.curve.faint { stroke: rgb(var(--right) / .3); stroke-width: 1; }
.curve.dashed { stroke-dasharray: 6 5; }
.band { fill: rgb(var(--right) / .18); }
.band.second { fill: rgb(var(--wrong) / .18); }
circle.main { fill: rgb(var(--right)); }
circle.second { fill: rgb(var(--wrong)); }
circle.faint { fill: none; }
.strip rect { fill: transparent; }
.strip line { stroke: transparent; pointer-events: none; }
.strip:hover line { stroke: var(--muted); }
.bar { fill: rgb(var(--right) / .55); }
.bar:hover { fill: rgb(var(--right)); }
.ideal { stroke: rgb(var(--wrong)); stroke-width: 2.5; pointer-events: none; }
.diagonal { stroke: var(--muted); stroke-dasharray: 2 4; pointer-events: none; }
.count { fill: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; margin: 0; padding: 0;
  font-size: .8125rem; color: var(--muted); }
.legend b { color: var(--ink); font-weight: 600; }
.legend i { display: inline-block; width: .9rem; height: 3px; border-radius: 2px; margin-right: .4rem;
  vertical-align: middle; }
i.dashed { width: .45rem; }
i.main { background: rgb(var(--right)); }
i.second { background: rgb(var(--wrong)); }
i.faint { background: rgb(var(--right) / .3); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th { font-weight: 500; color: var(--muted); font-size: .8125rem; }
.confusion { width: 100%; border-collapse: separate; border-spacing: 2px; font-size: .875rem;
  table-layout: fixed; line-height: 1.3;
  min-width: calc(var(--classes) * 1.55rem + var(--longest) * .6rem + 1.25rem); }
.confusion tr > :first-child { width: calc(var(--longest) * .6rem + 1.75rem); }
.confusion tbody td { text-align: center; height: 2.3rem; padding: 0; border-radius: 5px; }
.confusion th { padding: 0 .1rem; overflow-wrap: anywhere; }
.confusion thead th { text-align: center; vertical-align: bottom; }
.confusion tbody th { text-align: right; padding-right: .6rem; position: sticky; left: 0;
  background: var(--surface); }
.confusion .axis, .confusion thead th:first-child { font-weight: 400; }
.confusion td.zero { color: var(--line); }
.confusion td.hit { background: rgb(var(--right) / calc(var(--heat) / 20)); }
.confusion td.miss { background: rgb(var(--wrong) / calc(var(--heat) / 20)); }
.confusion td.hit.strong { color: var(--on-right); font-weight: 600; }
.confusion td.miss.strong { color: var(--on-wrong); font-weight: 600; }

.figures { width: 100%; font-size: .9375rem; }
.figures th, .figures td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
.figures th:first-child { text-align: left; }
.figures td { white-space: nowrap; }
.figures tbody th { color: var(--ink); font-weight: 600; font-size: inherit; }
.figures tfoot th, .figures tfoot td { border: 0; color: var(--muted); font-size: .875rem; }

.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: 1.75rem 1.25rem;
  list-style: none; margin: 0; padding: 0; }
.layers { display: grid; border-radius: 8px; overflow: hidden; }
.layers img { grid-area: 1 / 1; display: block; width: 100%; height: auto; image-rendering: pixelated;
  filter: var(--digit); }
.layers.covered img:first-child { opacity: .4; }
.layers img:nth-child(2) { image-rendering: auto; filter: var(--glow); }
.layers.covered { background: var(--surface); outline: 1px solid var(--line); outline-offset: -1px; }
button.image { display: block; width: 100%; padding: 0; border: 0; background: none; border-radius: 8px;
  cursor: zoom-in; }
.digits figcaption { font-size: .875rem; line-height: 1.4; margin: .5rem 0 .4rem; overflow-wrap: anywhere; }
figcaption b { font-weight: 650; }
.right { color: rgb(var(--right)); }
.wrong { color: rgb(var(--wrong)); }
.digits small { display: block; }
.chances { display: block; width: 100%; height: auto; }
.chances rect { fill: var(--muted); }
.chances text { font-size: 7px; fill: var(--muted); }
.chances .main { fill: rgb(var(--right)); }
.chances .second { fill: rgb(var(--wrong)); }

.weights { display: grid; gap: 1rem; list-style: none; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(min(30%, 6.5rem), 1fr)); }
.weights.few { grid-template-columns: repeat(auto-fill, minmax(min(45%, 10rem), 1fr)); }
.weights.wide { grid-template-columns: 1fr; }
.weights img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 6px;
  background: var(--surface); outline: 1px solid var(--line); outline-offset: -1px; }
.weights figcaption { text-align: center; font-size: .8125rem; color: var(--muted); margin-top: .25rem;
  overflow-wrap: anywhere; }
.scale { display: flex; gap: .75rem; align-items: center; margin: 0 0 1rem; font-size: .8125rem;
  color: var(--muted); }
.scale span { flex: 0 1 12rem; height: .5rem; border-radius: 4px;
  background: linear-gradient(90deg, #e8590c, transparent, #4a6cf7); }

button { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid rgb(var(--right)); outline-offset: 2px; }
button.cell { width: 100%; height: 100%; padding: 0; border: 0; background: none; border-radius: 5px;
  cursor: zoom-in; }
button.cell:hover { box-shadow: inset 0 0 0 2px var(--ink); }
.pairs button.cell { width: auto; padding: 0 .5rem; background: rgb(var(--right) / .14); }
[popover] { width: min(46rem, calc(100vw - 2rem)); max-height: calc(100vh - 4rem); margin: auto;
  padding: 1.125rem 1.25rem; overflow: auto; border: 1px solid var(--line); border-radius: 14px;
  background: var(--surface); color: var(--ink); font-size: 1rem; font-weight: 400; line-height: 1.5;
  text-align: left; box-shadow: 0 1.25rem 4rem rgb(0 0 0 / .3); white-space: normal; }
[popover]::backdrop { background: rgb(0 0 0 / .35); }
.head { display: flex; gap: 1rem; justify-content: space-between; align-items: baseline;
  margin-bottom: .5rem; }
.head button { flex: none; padding: .15rem .75rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--paper); cursor: pointer; font-size: .875rem; }
[popover] .lead { font-size: .875rem; margin: 0 0 1rem; }
.thumbnails { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.25rem, 1fr)); gap: 1rem .75rem;
  list-style: none; margin: 0; padding: 0; }
.thumbnails img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 6px;
  filter: var(--digit); }
.thumbnails figcaption { display: grid; grid-template-columns: auto 1fr; gap: 0 .5rem; font-size: .8125rem;
  line-height: 1.4; margin-top: .3rem; }
.thumbnails span { text-align: right; }
.thumbnails small { grid-column: 1 / -1; font-size: .75rem; }
.closeup { display: grid; grid-template-columns: 1fr 1fr 9rem; gap: 1rem; align-items: start;
  margin: .75rem 0 1rem; }
.chances-table { width: 100%; font-size: .875rem; }
.chances-table th { text-align: left; color: inherit; font-weight: 600; }
.chances-table .right { color: rgb(var(--right)); }
.chances-table .wrong { color: rgb(var(--wrong)); }
.chances-table td { text-align: right; }
h3 { font-size: 1.1rem; margin: 0 0 .35rem; font-weight: 650; }
.closely { border-top: 1px solid var(--line); padding-top: 2.5rem; }
.closely section { margin-top: 2.5rem; }
summary { cursor: pointer; font-size: .9375rem; padding: .5rem 0; }
.panel + details { margin-top: .75rem; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr));
  gap: 0 3rem; margin: 0; font-size: .9375rem; }
.facts div { display: grid; grid-template-columns: 10rem 1fr; gap: 1rem; padding: .45rem 0;
  border-bottom: 1px solid var(--line); }
.facts dt { color: var(--muted); overflow-wrap: anywhere; }
.facts dd { margin: 0; overflow-wrap: anywhere; }

@media (max-width: 40rem) {
  .chart, .panel { padding: .75rem; }
  .headline { column-gap: 1.5rem; }
  .headline .figure { flex: 0 0 calc(50% - 1.5rem); }
  .chart text { font-size: 15px; }
  .chart text.n { font-size: 10.5px; }
  .confusion { font-size: .625rem; border-spacing: 1px;
    min-width: calc(var(--classes) * 1.5rem + var(--longest) * .4rem + 1.25rem); }
  .confusion tr > :first-child { width: calc(var(--longest) * .4rem + 1.25rem); }
  .confusion.long th[scope=col] { writing-mode: vertical-rl; rotate: 180deg; text-align: left;
    vertical-align: top; white-space: nowrap; }
  .confusion td.hit.strong, .confusion td.miss.strong { font-weight: 500; }
  .confusion tbody td { height: 1.75rem; border-radius: 3px; }
  .confusion th { font-size: .6875rem; }
  .figures { font-size: .875rem; }
  .figures th, .figures td { padding: .3rem .2rem; }
  .digits { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); }
  .closeup { grid-template-columns: 1fr 1fr; }
  .chances-table { grid-column: 1 / -1; }
  .facts div { grid-template-columns: 8rem 1fr; }
}
@media print {
  .chart, .panel, .digits li, tr { break-inside: avoid; }
  td, i, .scale span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

CSS += "".join(f".h{heat} {{ --heat: {heat}; }}\n" for heat in range(HEATS + 1))
CSS += "".join(
    f".curve.c{i} {{ stroke: rgb(var(--c{i})); }} circle.c{i}, .band.c{i} {{ fill: rgb(var(--c{i})); }} "
    f".band.c{i} {{ fill-opacity: .18; }} i.c{i} {{ background: rgb(var(--c{i})); }}\n"
    for i in range(COLOURS)
)
