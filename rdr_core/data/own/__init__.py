"""Data of one's own, read into long-tailed sets: a file for each shape in which people have them."""
