"""Papers as data: what they print and claim, the runs that need to be made for it, and the runs that are shipped."""
