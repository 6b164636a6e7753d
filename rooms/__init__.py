"""What a visit is: pure values, tables and functions. No clock, no I/O, no async, no logging."""
