"""A page of pictures that is one file: no script, nothing loaded from anywhere."""

from rdr_viz.pages.picture_page import Section, write_page

__all__ = ["Section", "write_page"]
