"""The stylesheet of all pages: one column of text, tables that scroll, light, dark, printed.

Figures are drawn for white paper. On a dark screen their lightness is inverted and their hues are
kept, so that one colour has one meaning in both; images of data are never changed.
"""

from __future__ import annotations

__all__ = ["STYLESHEET"]

STYLESHEET = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1d21;--muted:#565b63;--line:#d5d8dd;
--soft:#f3f5f7;--accent:#0072b2;--warn:#a83f00}
@media (prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#e7e9ec;--muted:#a7adb7;
--line:#3a3f47;--soft:#1f2228;--accent:#6cb8e6;--warn:#f0a274}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.5;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
p,li,dd{max-width:46rem}
.kind{margin:0;color:var(--muted);font-size:.85rem}
.question{font-size:1.1rem;margin:.2rem 0 1rem}
.answer{border-left:4px solid var(--accent);background:var(--soft);padding:.7rem 1rem;margin:1rem 0;
max-width:none}
.state{border-left:4px solid var(--warn);background:var(--soft);padding:.7rem 1rem;max-width:none}
.subject{color:var(--muted);margin:0}
figure{margin:1rem 0}
figure svg{display:block;width:100%;height:auto;max-width:var(--width);
min-width:min(var(--width),40rem)}
figure img{display:block;max-width:100%;height:auto;background:#fff}
figure .scroll{margin:0}
figcaption{color:var(--muted);font-size:.9rem;margin-top:.4rem;max-width:46rem}
.scroll{overflow-x:auto;margin:1rem 0 .4rem}
.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:.4rem}
th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;
white-space:nowrap}
thead th{white-space:normal;border-bottom:2px solid var(--muted);vertical-align:bottom}
th[scope=row],thead th:first-child{text-align:left;font-weight:600}
.scroll :is(th[scope=row],thead th:first-child){position:sticky;left:0;background:var(--paper)}
.whole{white-space:nowrap}
td.words,th.words{text-align:left;white-space:normal;min-width:9rem;max-width:24rem}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.2rem 1rem;
margin:.4rem 0 1rem;
font-size:.9rem}
dt{font-weight:600;max-width:16rem}dd{margin:0}
pre{background:var(--soft);padding:.7rem 1rem;overflow-x:auto;white-space:pre-wrap;
overflow-wrap:anywhere}
pre:focus-visible{outline:2px solid var(--accent)}
.pairs{display:flex;flex-wrap:wrap;gap:1.2rem 2rem}
.pairs table{font-size:.8rem}
.pairs img{display:block;background:none;max-width:none;image-rendering:pixelated}
.pairs td,.pairs th{border:0;padding:.15rem .3rem;text-align:center}
@media (max-width:40rem){body{font-size:15px}main{padding:1rem .8rem 3rem}
dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}
.pairs tr{display:grid;grid-template-columns:repeat(3,minmax(6.6rem,max-content))}
.pairs th[scope=row]{grid-column:1/-1;text-align:left}.pairs thead th:first-child{display:none}}
@media screen and (prefers-color-scheme:dark){figure svg{filter:invert(1) hue-rotate(180deg)}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--muted:#444;--line:#bbb;--soft:#fff;
--accent:#0072b2;--warn:#a83f00}
body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}
figure svg{min-width:0}figure,tr,dt,dd{break-inside:avoid}.scroll{overflow:visible}
.scroll :is(th[scope=row],thead th:first-child){position:static}
table,dl{font-size:8pt}
th,td{padding:.15rem .4rem}pre,.answer,.state{border:1px solid var(--line)}}
""".strip()
