"""PDFs: looked at and cut with pikepdf, read and drawn with pdfium. In child processes: both decode untrusted bytes."""
