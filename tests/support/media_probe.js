// Tells a test what its page really hears, sees and sends. Runs before the page's own script.
(() => {
  const connections = new Set();
  const seats = new WeakMap(); // receiving track → the seat whose sound or picture it is
  const Native = window.RTCPeerConnection;

  window.RTCPeerConnection = class extends Native {
    constructor(...all) {
      super(...all);
      connections.add(this);
      window.mediaProbe.opened += 1;
      this.addEventListener("track", ({ track, streams }) => seats.set(track, streams[0]?.id));
    }

    close() {
      if (window.mediaProbe.keepsOpen) return;
      connections.delete(this);
      super.close();
    }
  };

  async function statistics(ends, type) {
    const reports = await Promise.all(ends.map((end) => end.getStats()));
    return reports.flatMap((report) => [...report.values()]).filter((one) => one.type === type);
  }

  function total(found, field) {
    return found.reduce((sum, one) => sum + (one[field] ?? 0), 0);
  }

  /** What has come from a seat so far: `totalAudioEnergy`, `framesDecoded`, `packetsReceived` … */
  async function received(seat, kind, field) {
    const receivers = [...connections]
      .flatMap((pc) => pc.getReceivers())
      .filter(({ track }) => track.kind === kind && seats.get(track) === seat);
    return total(await statistics(receivers, "inbound-rtp"), field);
  }

  async function sent(kind, field) {
    const senders = [...connections]
      .flatMap((pc) => pc.getSenders())
      .filter(({ track }) => track?.kind === kind);
    return total(await statistics(senders, "outbound-rtp"), field);
  }

  /** How packets travel at the moment, one entry per connection: `relay/udp`, `host/tcp` … */
  async function routes() {
    const reports = await Promise.all([...connections].map((pc) => pc.getStats()));
    return reports.map((report) => {
      const all = [...report.values()];
      const chosen = all.find((one) => one.type === "transport")?.selectedCandidatePairId;
      const pair = report.get(chosen) ?? all.find((one) => one.nominated && one.selected);
      const local = report.get(pair?.localCandidateId);
      return `${local?.candidateType}/${local?.protocol}`;
    });
  }

  /** Resolves when the number has grown by so much; false if it has not in so many milliseconds. */
  async function grows(read, by, within) {
    const until = performance.now() + within;
    let least = await read();
    for (;;) {
      const now = await read();
      least = Math.min(least, now); // a new connection counts from nothing
      if (now - least >= by) return true;
      if (performance.now() > until) return false;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  window.mediaProbe = {
    opened: 0,
    keepsOpen: false,
    routes,
    received: ({ seat, kind, field }) => received(seat, kind, field),
    arrives: ({ seat, kind, field, by, within }) =>
      grows(() => received(seat, kind, field), by, within),
    leaves: ({ kind, field, by, within }) => grows(() => sent(kind, field), by, within),
  };
})();
