"""pypdf: all sections first, and then all files. Run with JOB.json, the folder to write to, and perhaps `one-reader`.

A section is what a helper function returns that opens the document, takes its pages, and writes them to memory; with
`one-reader` the document is opened once, and all writers are kept beside what they wrote, as a loop of one's own would.
"""

import json
import sys
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader, PdfWriter


def take_out(reader: PdfReader, first: int, last: int) -> tuple[PdfWriter, BytesIO]:
    writer, content = PdfWriter(), BytesIO()
    for number in range(first - 1, last):
        writer.add_page(reader.pages[number])
    writer.write(content)
    return writer, content


def extract(document: str, first: int, last: int) -> BytesIO:
    return take_out(PdfReader(document), first, last)[1]


file, folder, *options = sys.argv[1:]
job = json.loads(Path(file).read_text())
Path(folder).mkdir(exist_ok=True)
if options == ["one-reader"]:
    reader = PdfReader(job["document"])
    held = [take_out(reader, first, last) for first, last in job["sections"]]
    contents = [content for _, content in held]
else:
    contents = [extract(job["document"], first, last) for first, last in job["sections"]]
for number, content in enumerate(contents, 1):
    Path(folder, f"{number:03}.pdf").write_bytes(content.getvalue())
