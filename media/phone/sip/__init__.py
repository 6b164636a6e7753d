"""A SIP trunk as a carrier (RFC 3261)."""
