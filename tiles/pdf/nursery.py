"""What the server imports that children are forked off which take PDFs apart."""

import tiles.children
import tiles.pdf.cut
import tiles.pdf.document
import tiles.pdf.draw
import tiles.pdf.text  # noqa: F401 - for the children
