"""The embedded example's document: a course of twelve pages on printing on film, drawn with reportlab.

`book` is the story, a module each holds a chapter's words, `figures_…` its drawings; `sheet` and `column` set type.
The same program draws the same bytes; it is run by hand, and what it draws is shipped.
"""
