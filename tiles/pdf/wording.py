"""Text out of PDFs, as it may stand in messages, titles and manifests."""

import pikepdf

_LONGEST_LINE = 1000


def text_of(value: object) -> str:
    """Return the text of a PDF string; "" for anything else."""
    if not isinstance(value, pikepdf.String):
        return ""
    try:
        return str(value)
    except ValueError:
        return bytes(value).decode("latin-1")


def one_line(text: str) -> str:
    """Return a text on one line: without what cannot be printed, runs of spaces as one, not endlessly long."""
    text = text[: 4 * _LONGEST_LINE]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())[:_LONGEST_LINE].rstrip()
