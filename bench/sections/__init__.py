"""Sections beside pypdf: a document of a quarter of a gigabyte taken apart; its pages drawn; one page of A0."""
