#include "vaetl/report/style.hpp"

namespace vaetl::html {

// Colours of lines after Okabe and Ito, which people with any colour vision can tell apart; the shapes of the markers
// say the same again. Text in plots is larger on narrow screens because the drawing shrinks there.
const std::string_view style = R"css(
:root { color-scheme: light dark; --page: #f7f8fa; --card: #ffffff; --ink: #1a1f26; --soft: #59636f; --rule: #dde2e8;
  --grid: #e8ebef; --accent: #0b5fa5; --good: #08704a; --bad: #a8380d; --mark: #fff4d1;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b8558f; --c4: #a87800; --c5: #6f4bb8; --c6: #59636f; --c7: #2f9ad6;
  --c8: #c4161c; --c9: #5f7a01; --lit: 38%; --dim: 26%;
  --s1: #dce6ed; --s2: #bdd0de; --s3: #a0bcd0; --s4: #84a8c2; --s5: #6994b4; --s6: #4e81a7; --s7: #346f9a;
  --s8: #1a5c8d; --s9: #004a80; }
@media (prefers-color-scheme: dark) { :root { --page: #12151a; --card: #1a1f26; --ink: #e7eaee; --soft: #9aa5b1;
  --rule: #303843; --grid: #272e37; --accent: #6db6f2; --good: #4fd0a0; --bad: #ff9166; --mark: #3d3414;
  --c0: #4da6e0; --c1: #ff8a3d; --c2: #2fc79b; --c3: #e58fc3; --c4: #e6b422; --c5: #b59cf0; --c6: #a3aeba; --c7: #8fd0f7;
  --c8: #ff7b7b; --c9: #b5d33d; --lit: 72%; --dim: 58%;
  --s1: #2a3743; --s2: #384d5c; --s3: #466174; --s4: #52748b; --s5: #5f87a1; --s6: #6b9ab7; --s7: #77accd;
  --s8: #83bee2; --s9: #8fd0f7; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.6rem 0 .8rem; overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .6rem; }
.part { border-top: 1px solid var(--rule); margin-top: 3rem; }
p { margin: .6rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; }
.note { color: var(--soft); font-size: .9rem; }
a { color: var(--accent); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .75rem; margin: 1.4rem 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .7rem .9rem; min-width: 0; }
.tiles dt { color: var(--soft); font-size: .82rem; line-height: 1.3; overflow-wrap: anywhere; }
.tiles dd { margin: .15rem 0 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles .result { border-color: var(--accent); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; margin: .8rem 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93rem; }
.table { margin: 1rem 0; }
.table figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.table .scroll { margin: .4rem 0 0; }
th, td { padding: .5rem .75rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--grid); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .85rem; vertical-align: bottom; white-space: normal; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--card); }
tbody th { font-weight: 500; }
td.text, thead th.text { text-align: left; }
td.wrap { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
.way { padding-left: .2em; }
td.best { font-weight: 700; background: var(--mark); }
td.better { color: var(--good); } td.worse { color: var(--bad); }
td small { display: block; color: var(--soft); font-weight: 400; font-size: .8rem; }
.spread { color: var(--soft); font-weight: 400; }
.matrix .scroll { width: fit-content; max-width: 100%; }
.matrix table { width: auto; font-size: .8rem; }
.matrix th, .matrix td { padding: .3rem .4rem; }
.matrix td { text-align: center; min-width: 2.3rem; border-left: 1px solid var(--grid); }
.matrix thead th { vertical-align: bottom; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 10rem; overflow-wrap: anywhere; }
.matrix th:first-child { white-space: normal; min-width: 5rem; max-width: 9rem; overflow-wrap: anywhere; }
.s1 { background: var(--s1); } .s2 { background: var(--s2); } .s3 { background: var(--s3); } .s4 { background: var(--s4); } .s5 { background: var(--s5); }
.s6 { background: var(--s6); } .s7 { background: var(--s7); } .s8 { background: var(--s8); } .s9 { background: var(--s9); }
@media (prefers-color-scheme: light) { .s1, .s2, .s3, .s4, .s5, .s6 { color: #000000; } .s7, .s8, .s9 { color: #ffffff; } }
@media (prefers-color-scheme: dark) { .s1, .s2, .s3, .s4 { color: #ffffff; } .s5, .s6, .s7, .s8, .s9 { color: #000000; } }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; }
.plot { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem; margin: .8rem 0; }
.plots .plot { margin: 0; }
.plot figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .3rem; }
.plot svg { display: block; width: 100%; height: auto; }
.plot text { fill: var(--soft); font-size: 13px; }
.plot.wide { max-width: 52rem; }
.plot.wide text { font-size: 11px; }
.plot .grid { stroke: var(--grid); stroke-width: 1; }
.plot .axis { stroke: var(--rule); stroke-width: 1.5; }
.plot polyline { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round;
  vector-effect: non-scaling-stroke; }
.plot .bar { stroke-width: 1.25; opacity: .65; }
.k0 { stroke: var(--c0); } .k1 { stroke: var(--c1); } .k2 { stroke: var(--c2); } .k3 { stroke: var(--c3); }
.k4 { stroke: var(--c4); } .k5 { stroke: var(--c5); } .k6 { stroke: var(--c6); } .k7 { stroke: var(--c7); }
.k8 { stroke: var(--c8); } .k9 { stroke: var(--c9); }
path.k0 { fill: var(--c0); } path.k1 { fill: var(--c1); } path.k2 { fill: var(--c2); } path.k3 { fill: var(--c3); }
path.k4 { fill: var(--c4); } path.k5 { fill: var(--c5); } path.k6 { fill: var(--c6); } path.k7 { fill: var(--c7); }
.hue { stroke: hsl(var(--hue) 75% var(--lit)); } .hue.odd { stroke: hsl(var(--hue) 60% var(--dim)); }
path.dots { fill: none; stroke-width: 6.5; stroke-linecap: round; stroke-opacity: .8; }
.map .note { margin: .4rem 0 0; }
.legend .dot { width: 14px; } .dot path.dots { stroke-width: 11; stroke-opacity: 1; }
.dashed { stroke-dasharray: 6 4; }
path.dashed { fill: var(--card); stroke-width: 2; stroke-dasharray: none; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .5rem 0 0; padding: 0; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: .45rem; min-width: 0; overflow-wrap: anywhere; }
.legend svg { width: 30px; height: 14px; flex: none; }
.pictures { columns: 3 18rem; column-gap: 1rem; }
.pictures figure { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem;
  margin: 0 0 1rem; break-inside: avoid; }
.pictures figure:only-child { column-span: all; max-width: 46rem; }
.pictures img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: .25rem; }
.pictures figcaption { margin-top: .55rem; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .8rem 1rem; overflow-x: auto;
  font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; margin: .8rem 0; tab-size: 2; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--accent); font-weight: 500; }
@media (max-width: 40rem) { main { padding: 1.5rem .9rem 3rem; } h1 { font-size: 1.5rem; } .plot { padding: .6rem; }
  .plot text { font-size: 20px; } .plot.wide text { font-size: 23px; } th, td { padding: .45rem .6rem; }
  th:first-child { white-space: normal; min-width: 8rem; max-width: 9.5rem; overflow-wrap: anywhere; }
  .matrix th, .matrix td { padding: .25rem .15rem .25rem .2rem; font-size: .74rem; } .matrix td { min-width: 1.5rem; }
  .matrix th:first-child { min-width: 4rem; max-width: 5.5rem; } .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media print { body { background: #fff; } .plot, figure, tr { break-inside: avoid; } }
)css";

}  // namespace vaetl::html
