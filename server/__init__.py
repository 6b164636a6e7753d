"""The edge of Bedside: HTTP, signals, tokens, stores. The only package that wires things."""
