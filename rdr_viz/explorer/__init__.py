"""The explorer: stored runs, chosen by sliders, as pictures; and what starts it."""
