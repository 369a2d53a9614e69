"""What a print shop should look at before it prints a PDF, in short sentences."""

from collections.abc import Iterator, Sequence

from tiles.pdf.facts import FontFacts, PageFacts, UnreadablePage
from tiles.pdf.marks import MAX_OBJECTS
from tiles.pdf.reachable import MAX_REACHED

LEAST_DPI = 150  # below, pixels show at arm's length; what printers of large formats ask for at least
LEAST_TEXT_PT = 5.0  # below, type fills in or breaks up; what most printers ask for at least
LEAST_LINE_PT = 0.25  # below, lines break up; the trade's hairline
MAX_FINDINGS = 100  # nobody reads more
_SAME_IN = 0.01  # sizes that differ by less are cut alike


def findings_of(
    pages: Sequence[PageFacts | UnreadablePage], fonts: Sequence[FontFacts], all_fonts: bool = True
) -> tuple[str, ...]:
    """Return the sentences: those on the whole section first, then page by page; at most `MAX_FINDINGS` and a count.

    `all_fonts` is False if there may be more than these.
    """
    found = [*_on_sizes([page for page in pages if isinstance(page, PageFacts)]), *_on_fonts(fonts)]
    if not all_fonts:
        found.append(f"more than {MAX_REACHED:,} fonts, images and forms, of which only the first were looked at")
    for page in pages:
        found.extend(f"page {page.page}: {finding}" for finding in _on_page(page))
    left_out = len(found) - MAX_FINDINGS
    return tuple(found) if left_out <= 0 else (*found[:MAX_FINDINGS], f"and {left_out:,} more")


def is_coarse(dpi: float) -> bool:
    """Whether a resolution is too low, to the nearest whole number."""
    return round(dpi) < LEAST_DPI


def _on_sizes(pages: Sequence[PageFacts]) -> Iterator[str]:
    sizes = [(page.width_in, page.height_in) for page in pages]
    if not sizes:
        return
    if not all(_alike(sorted(size), sorted(sizes[0])) for size in sizes):
        small, large = min(sizes, key=_area), max(sizes, key=_area)
        yield f"pages have different sizes, from {_inches(small)} to {_inches(large)}"
    elif not all(_alike(size, sizes[0]) for size in sizes):
        yield f"pages of {_inches(sizes[0])} stand both upright and on their side"


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= _SAME_IN for a, b in zip(one, other, strict=True))


def _on_fonts(fonts: Sequence[FontFacts]) -> Iterator[str]:
    for font in fonts:
        if font.used and not font.embedded:
            yield f"font {font.name} is not embedded (page {font.page})"


def _on_page(page: PageFacts | UnreadablePage) -> Iterator[str]:
    if isinstance(page, UnreadablePage):
        yield page.error
        return
    if page.ink.most == 0:
        yield "it is empty"
    if page.coarse_images == 1:
        yield f"an image has {page.least_dpi:.0f} DPI"
    elif page.coarse_images:
        yield f"{page.coarse_images:,} images have less than {LEAST_DPI} DPI, one of them {page.least_dpi:.0f}"
    if page.least_text_pt is not None and page.least_text_pt < LEAST_TEXT_PT:
        yield f"text of {page.least_text_pt:g} pt, smaller than {LEAST_TEXT_PT:g} pt"
    if page.least_line_pt is not None and page.least_line_pt < LEAST_LINE_PT:
        yield f"a line of {page.least_line_pt:g} pt, thinner than {LEAST_LINE_PT:g} pt"
    if not page.complete:
        yield f"more than {MAX_OBJECTS:,} objects, of which only the first were looked at"


def _area(size: tuple[float, float]) -> float:
    return size[0] * size[1]


def _inches(size: tuple[float, float]) -> str:
    return f"{size[0]:.4g}×{size[1]:.4g} in"
