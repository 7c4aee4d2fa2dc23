"""The front end: one component, drawn in the page from data, in notebooks, in a file of its own and on the site.

``src/`` is bundled into ``static/`` by ``npm ci && npm run build`` in this folder; the result is part of the
repository, so that nobody needs npm to use it.
"""
