"""What PDFs are opened with."""

import pikepdf
from pypdfium2.version import PDFIUM_INFO, PYPDFIUM_INFO


def versions() -> str:
    """Return the versions of qpdf and pdfium and their bindings, for a person."""
    pdfium = f"pdfium {PDFIUM_INFO.build}, pypdfium2 {PYPDFIUM_INFO.version}"
    return f"qpdf {pikepdf.__libqpdf_version__}, pikepdf {pikepdf.__version__}; {pdfium}"
