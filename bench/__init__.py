"""Measurements: one module each, with ``run() -> dict`` of plain numbers."""
