"""Telephone calls: carriers that place them, and the bridge that brings their sound into a visit."""
