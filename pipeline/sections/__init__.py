"""The kind of job that takes PDFs apart: cut, drawn, analysed and delivered one section at a time."""
