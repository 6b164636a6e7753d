"""What a trunk counts, for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TrunkCounters:
    """Totals since start."""

    messages_in: int = 0
    messages_out: int = 0
    unreadable: int = 0  # dropped: not SIP, or a header that is needed does not parse
    unexpected: int = 0  # dropped: a response to nothing that was asked
    overflowed: int = 0  # dropped: more transactions than one trunk ever has
    strangers_refused: int = 0  # requests outside of every call
    calls: int = 0
    answered: int = 0
    hung_up_late: int = 0  # answers that came after the call was given up, or from a second phone
    not_kept: int = 0  # what the ledger did not take in time
    not_ended: int = 0  # calls that the trunk may still hold when we closed
    broken: int = 0
    packets_ignored: int = 0  # RTP from another source, not authentic, or not RTP
