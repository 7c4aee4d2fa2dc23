"""A paper's numbers beside ours: its tables, its figures, its claims and the page that shows them."""
