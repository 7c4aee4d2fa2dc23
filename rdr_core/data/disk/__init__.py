"""Images on disk, in one direction: list or tree -> files found -> decoded into a cache -> :class:`StoredImages`."""
