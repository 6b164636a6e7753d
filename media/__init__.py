"""Sound and pictures: packets, transports and forwarding. Knows ``rooms``, never ``server``."""
