"""Similarity search between packed bit rows: ``search`` and ``lsh`` find pairs, ``kernel`` counts, engines run it."""
