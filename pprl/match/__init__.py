"""Exact similarity search between packed bit rows: ``search`` asks, ``kernel`` counts, ``engines`` spread."""
