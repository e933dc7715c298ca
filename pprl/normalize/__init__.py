"""Cells to canonical text: names in any alphabet, dates, ranks, sexes, identifiers, numbers and categories."""
