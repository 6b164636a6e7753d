"""What forwarding one packet costs, next to the least it can cost, and how long it takes.

Rooms of light clients in another process send what browsers send (50 packets of sound and 150 of
video a second each). The bare loop runs before and after each load, on the same machine in the
same minute, because the machine may be shared and change its mind. Latency is watched by two people
in a third process, so that it does not count how long the crowd takes to read what it gets.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from typing import Any

from bench._media_bare import microseconds_per_packet
from bench._media_rig import Rig, cpu_seconds

ROOMS = ((4, 4), (10, 2))  # rooms, people in each
WARM_UP, MEASURED = 1.5, 8.0  # seconds


def run() -> dict[str, Any]:
    """Microseconds of CPU per forwarded packet, the ratio to the bare loop, latency."""
    return {
        f"{rooms}_rooms_of_{people}": asyncio.run(_measure(rooms, people))
        for rooms, people in ROOMS
    }


async def _measure(rooms: int, people: int) -> dict[str, Any]:
    rig = Rig()
    await rig.start()
    watch = Rig(guest_of=rig)
    await watch.start()
    bare = [await microseconds_per_packet(rig, rooms * people, people - 1)]
    await rig.meet(rooms, people)
    await watch.meet(1, 2)
    await rig.ask({"talk": WARM_UP})
    packets, cpu = rig.sfu.counters.packets_out, cpu_seconds()
    talked, watched = await asyncio.gather(
        rig.ask({"talk": MEASURED}), watch.ask({"talk": MEASURED})
    )
    forwarded = rig.sfu.counters.packets_out - packets
    ours = 1e6 * (cpu_seconds() - cpu) / forwarded
    bare.append(await microseconds_per_packet(rig, rooms * people, people - 1))
    await watch.close()
    await rig.close()
    latencies = sorted(watched["talked"]["latencies_ms"])
    received = talked["talked"]["received"] + watched["talked"]["received"]
    return {
        "packets_per_second": round(forwarded / MEASURED),
        "packets_lost": forwarded - received,
        "cpu_us_per_packet": round(ours, 2),
        "bare_us_per_packet": round(statistics.mean(bare), 2),
        "ratio_to_bare": round(ours / statistics.mean(bare), 2),
        "latency_p50_ms": latencies[len(latencies) // 2],
        "latency_p99_ms": latencies[len(latencies) * 99 // 100],
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
