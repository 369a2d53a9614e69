"""sections.html: what a run made of a document, for a person with a browser. No scripts, nothing from elsewhere.

Everything from a document or an analyser is text here, never markup. A section's row is written without the others'.
"""

import html
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from config.pageranges import pages_of

SUMMARY = "sections.html"
MAX_ANSWER = 20_000  # characters of an analyser's answer that are shown; all of it stands in sections.json
MAX_SHOWN = 8  # findings, headings and fonts of a section that are shown at once; the others unfold
_LEAST_SCALE = 0.01  # of the bars of ink: below, nothing is worth being seen
_INKS = {"cyan": "#00a0c6", "magenta": "#d6247f", "yellow": "#f2c500", "black": "#222"}

_STYLE = """
:root { --ink: #1d2129; --soft: #667085; --line: #e4e7ec; --ground: #f6f7f9; --bad: #b42318; --warn: #93540a }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1, h2 { line-height: 1.25; margin: 0; overflow-wrap: anywhere }
h1 { font-size: 1.75rem }
h2 { font-size: 1.1rem }
p, ul, details { margin: .3rem 0 }
ul { padding-left: 1.1rem }
a { color: #175cd3 }
summary { cursor: pointer; color: var(--soft) }
.soft { color: var(--soft) }
.bad { color: var(--bad) }
.warn { color: var(--warn) }
.totals { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 }
.totals div, section { background: #fff; border: 1px solid var(--line); border-radius: .6rem }
.totals div { padding: .6rem 1rem; min-width: 7rem }
.totals b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
section { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 1.25rem; padding: 1.1rem; margin: 0 0 .9rem }
section.plain { grid-template-columns: minmax(0, 1fr) }
section img { max-width: 100%; max-height: 12rem; border: 1px solid var(--line) }
.facts { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; font-variant-numeric: tabular-nums }
.files { font-size: .85rem }
.files a { margin-right: .9rem; overflow-wrap: anywhere }
.ink { display: inline-flex; align-items: end; gap: 2px; height: 1.1rem; border-bottom: 1px solid var(--line) }
.ink i { width: .5rem }
pre { white-space: pre-wrap; overflow: auto; max-height: 24rem; padding: .75rem; background: var(--ground) }
pre { border-radius: .4rem; overflow-wrap: anywhere }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
td, th { text-align: left; padding: .15rem .9rem .15rem 0; vertical-align: top }
@media (max-width: 40rem) { section { grid-template-columns: minmax(0, 1fr) } }
"""


def summary_pieces(head: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the page in pieces: what sections.json says besides its sections, then a section after the other."""
    document, totals = head["document"], head["totals"]
    name = _text(document["file"])
    yield f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}: sections</title>\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<style>{_STYLE}</style>\n<main>\n<h1>{_text(document['title'] or document['file'])}</h1>\n"
    yield f'<p class="soft">{name} · {pages_of(document["pages"])} · {document["bytes"]:,} bytes · '
    yield f"SHA-256 <code>{_text(document['sha256'][:16])}…</code></p>\n"
    for repair in document["repairs"]:
        yield f'<p class="warn">The document is damaged and was mended: {_text(repair)}</p>\n'
    if head["gaps"]:
        yield f'<p class="warn">Pages in no section: {_text(head["gaps"])}</p>\n'
    if head["finished_at"] is None:
        yield '<p class="warn">The run that made these is not finished.</p>\n'
    shown = {"sections": totals["sections"], "complete": totals["made"], "not complete": totals["failed"]}
    figures = [*shown.items(), ("seconds", f"{head['seconds']['total']:.1f}")]
    figures.append(("peak memory", f"{head['memory']['peak_bytes'] / 1e6:.0f} MB"))
    yield '<div class="totals">' + "".join(f"<div><b>{value}</b>{label}</div>" for label, value in figures) + "</div>\n"
    for entry in entries:
        yield _section(entry)
    yield f'<p class="soft">tilepress {_text(head["tilepress"])}, {_text(head["started_at"])}</p>\n</main>\n'


def _section(entry: Mapping[str, Any]) -> str:
    files = {file["kind"]: file for file in reversed(entry["files"])}
    preview = files.get("preview")
    parts = [f"<section{'' if preview else ' class=plain'}>"]
    if preview:
        target = _link((files.get("pdf") or preview)["file"])
        parts.append(f'<a href="{target}"><img src="{_link(preview["file"])}" alt="" loading="lazy"></a>')
    count = pages_of(entry["page_count"])
    parts.append(f"<div><h2>{entry['number']}. {_text(entry['title'])}</h2>")
    parts.append(f'<p class="soft">{count}: {_text(entry["pages"])}</p>')
    if entry["error"]:
        parts.append(f'<p class="bad">Not complete: {_text(entry["error"])}</p>')
    analysis = entry["analysis"] or {}
    parts.extend(_local(analysis) if analysis.get("kind") == "local" else _answered(analysis))
    parts.append(_files(entry["files"]))
    parts.append("</div></section>\n")
    return "".join(parts)


def _local(analysis: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the local analyser found."""
    pages = [page for page in analysis["pages"] if "error" not in page]
    coarsest = min((page["least_dpi"] for page in pages if page["least_dpi"] is not None), default=None)
    images = sum(page["images"] for page in pages)
    facts = [
        f"{analysis['words']:,} {'word' if analysis['words'] == 1 else 'words'}",
        _count(images, "image") + (f", at least {coarsest:.0f} DPI" if coarsest else ""),
    ]
    sizes = list(dict.fromkeys(f"{page['width_in']:.4g}×{page['height_in']:.4g} in" for page in pages))
    facts += [", ".join(sizes[:3]) + (" …" if len(sizes) > 3 else "")] if sizes else []  # noqa: PLR2004 - enough for a line
    yield '<p class="facts">' + "".join(f"<span>{_text(fact)}</span>" for fact in facts) + _ink(pages) + "</p>"
    yield _list(analysis["findings"], "warn")
    if analysis["headings"]:
        yield _unfolding("Headings", _list([heading["title"] for heading in analysis["headings"]], ""))
    if analysis["fonts"]:
        fonts = [
            f"{font['name']} ({font['type']}{'' if font['embedded'] else ', not embedded'})"
            for font in analysis["fonts"]
        ]
        yield _unfolding(_count(len(fonts), "font"), _list(fonts, ""))
    yield _unfolding("Page by page", _pages(analysis["pages"]))


def _ink(pages: Sequence[Mapping[str, Any]]) -> str:
    """Return the mean ink of pages as four bars."""
    if not pages:
        return ""
    means = {ink: sum(page["ink"][ink] for page in pages) / len(pages) for ink in _INKS}
    covered = sum(page["ink"]["covered"] for page in pages) / len(pages)
    title = ", ".join(f"{ink} {mean:.0%}" for ink, mean in means.items())
    most = max(*means.values(), _LEAST_SCALE)
    bars = "".join(f'<i style="height:{mean / most:.0%};background:{_INKS[ink]}"></i>' for ink, mean in means.items())
    return f'<span title="{title}"><span class="ink">{bars}</span> ink on {covered:.0%}</span>'


def _pages(pages: Sequence[Mapping[str, Any]]) -> str:
    rows = ["<table><tr><th>page<th>size in<th>words<th>images<th>DPI from<th>ink on<th>total ink</tr>"]
    for page in pages:
        if "error" in page:
            rows.append(f'<tr><td>{page["page"]}<td colspan="6" class="bad">{_text(page["error"])}</tr>')
            continue
        dpi = "–" if page["least_dpi"] is None else f"{page['least_dpi']:.0f}"
        rows.append(
            f"<tr><td>{page['page']}<td>{page['width_in']:g}×{page['height_in']:g}<td>{page['words']:,}"
            f"<td>{page['images']:,}<td>{dpi}<td>{page['ink']['covered']:.0%}<td>{page['ink']['total']:.0%}</tr>"
        )
    return "".join((*rows, "</table>"))


def _answered(analysis: Mapping[str, Any]) -> Iterator[str]:
    """Yield what another analyser answered."""
    answer = analysis.get("answer")
    if answer is None:
        return
    text = answer if isinstance(answer, str) else json.dumps(answer, indent=1, ensure_ascii=False)
    cut = text[:MAX_ANSWER] + ("\n…" if len(text) > MAX_ANSWER else "")
    if not analysis.get("complete", True):
        yield f'<p class="warn">The answer was cut short: {_text(str(analysis.get("finish_reason", "")))}</p>'
    yield f'<p class="soft">{_text(str(analysis.get("model", analysis.get("kind", ""))))}</p><pre>{_text(cut)}</pre>'


def _files(files: Sequence[Mapping[str, Any]]) -> str:
    """Return links to a section's files; pages as images unfold."""
    first = [file for file in files if file["kind"] in {"pdf", "text"}]
    images = [file for file in files if file["kind"] == "page"]
    links = "".join(f'<a href="{_link(file["file"])}">{_text(file["file"])}</a>' for file in first)
    shown = f'<p class="files">{links}</p>'
    if images:
        links = "".join(f'<a href="{_link(file["file"])}">page {file["page"]}</a>' for file in images)
        shown += _unfolding(f"{pages_of(len(images))} as images", f'<p class="files">{links}</p>')
    return shown


def _list(lines: Sequence[str], kind: str) -> str:
    """Return lines as a list, the first at once; "" for none."""
    if not lines:
        return ""
    items = [f"<li>{_text(line)}" for line in lines]
    shown = f'<ul class="{kind}">{"".join(items[:MAX_SHOWN])}</ul>'
    more = items[MAX_SHOWN:]
    return shown + (_unfolding(f"and {len(more)} more", f"<ul>{''.join(more)}</ul>") if more else "")


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _unfolding(label: str, content: str) -> str:
    return f"<details><summary>{_text(label)}</summary>{content}</details>"


def _text(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode())


def _link(file: str) -> str:
    return html.escape(quote(file))
