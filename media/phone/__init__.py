"""Telephone calls: carriers that place them, and the bridge between them and a visit."""
