"""Training: the loop, what it records, and everything a run in progress consists of."""
