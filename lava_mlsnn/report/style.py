"""Style sheet of the report: reads on a phone, follows a light or dark setting, prints in black on white."""

CSS = """
:root { --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --paper: #ffffff; --tint: #f4f6f8; --good: #1a7f37;
  --bad: #c62828; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9da7b1; --line: #3a424b; --paper: #14181d; --tint: #1d232a; --good: #57ab5a;
    --bad: #f47067; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p, li { max-width: 46rem; }
.soft { color: var(--soft); font-size: .9rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .75rem; }
.card { background: var(--tint); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem;
  break-inside: avoid; }
.card h3 { margin: 0 0 .25rem; }
.card dl { display: grid; grid-template-columns: auto auto; margin: 0; gap: .1rem 1rem; }
.card dd { margin: 0; text-align: right; }
dd, td.n, .value { font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr.total td { font-weight: 600; border-top: 2px solid var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0; font-size: .875rem; }
.key { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: .15rem;
  vertical-align: -.05rem; }
.chart { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .35rem .6rem;
  align-items: center; font-size: .8rem; }
.chart .label { overflow-wrap: anywhere; }
.bars { display: grid; gap: 2px; }
.bar { display: flex; align-items: center; gap: .4rem; height: .95rem; }
.bar i { display: block; height: 100%; border-radius: 0 2px 2px 0; min-width: 1px; }
.stack { display: flex; height: 1.1rem; flex: none; }
.stack i { border-radius: 0; min-width: 0; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, Arial, sans-serif; }
svg .box { fill: var(--tint); stroke: var(--soft); }
svg .edge { fill: none; stroke: var(--soft); }
svg .skip { fill: none; stroke: #0072B2; }
.pass { color: var(--good); font-weight: 600; } .fail { color: var(--bad); font-weight: 700; }
code, pre { font: .85rem ui-monospace, Menlo, Consolas, monospace; }
pre { background: var(--tint); border: 1px solid var(--line); padding: .5rem .75rem; overflow-x: auto;
  white-space: pre-wrap; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --tint: #f6f6f6; --good: #060; --bad: #a00; }
  body { font-size: 10pt; max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3 { break-after: avoid; } tr, .card, .chart > * { break-inside: avoid; } .wide { overflow: visible; }
  table { font-size: 8.5pt; }
}
"""
