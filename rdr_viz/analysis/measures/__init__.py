"""Numbers of a run by name, as papers' tables and claims ask for them; a file for each thing they are read from."""
