"""Files as everything above writes and reads them: whole or not there, and never code."""
