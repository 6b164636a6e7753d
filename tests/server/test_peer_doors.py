"""One node asks another, over real sockets."""
