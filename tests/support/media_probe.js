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
      this.addEventListener("track", ({ track, streams }) => {
        seats.set(track, streams[0]?.id);
        if (track.kind === "audio") tracks.set(streams[0]?.id, track);
      });
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

  const tracks = new Map(); // the stream's name → the latest track of sound from it
  const ears = new WeakMap(); // track → what hears it
  const WINDOW = 16384; // samples: a third of a second
  let hearing = null;
  let diary = [];

  /** The last third of a second of what came from a seat, or of its telephone; null before that. */
  function lately(name) {
    const track = tracks.get(name);
    if (!track) return null;
    hearing ??= new AudioContext();
    if (!ears.has(track)) {
      const ear = new AnalyserNode(hearing, { fftSize: WINDOW });
      hearing.createMediaStreamSource(new MediaStream([track])).connect(ear);
      ears.set(track, ear);
    }
    const samples = new Float32Array(WINDOW);
    ears.get(track).getFloatTimeDomainData(samples);
    return samples;
  }

  /** Which part of the energy is this tone's, from 0 to 1; through a Hann window. */
  function purity(samples, frequency) {
    const step = (2 * Math.PI) / WINDOW;
    const turn = (2 * Math.PI * frequency) / hearing.sampleRate;
    let [real, imaginary, energy, weight, weights] = [0, 0, 0, 0, 0];
    for (let at = 0; at < WINDOW; at += 1) {
      const share = 0.5 - 0.5 * Math.cos(step * at);
      const value = samples[at] * share;
      real += value * Math.cos(turn * at);
      imaginary += value * Math.sin(turn * at);
      energy += value * value;
      weight += share;
      weights += share * share;
    }
    const own = (2 * (real * real + imaginary * imaginary) * weights) / (weight * weight);
    return energy > 1e-6 ? own / energy : 0;
  }

  const hears = (name, frequency) => {
    const samples = lately(name);
    return samples === null ? 0 : purity(samples, frequency);
  };

  /** Writes down ten times a second how loud each of these is. */
  function follow(names) {
    diary = [];
    setInterval(() => {
      const loudness = names.map((name) => {
        const latest = lately(name)?.subarray(-WINDOW / 8) ?? [];
        return Math.sqrt(latest.reduce((sum, one) => sum + one * one, 0) / (latest.length || 1));
      });
      diary.push({ at: performance.now() / 1000, loudness });
    }, 100);
  }

  window.mediaProbe = {
    opened: 0,
    purity: ({ name, frequency }) => hears(name, frequency),
    sounds: async ({ name, frequency, least, within }) => {
      let found = false; // once is enough: what was heard cannot be unheard
      const read = async () => {
        found ||= hears(name, frequency) >= least;
        return found ? performance.now() : 0;
      };
      await read();
      return found || grows(read, 1, within);
    },
    follow: (names) => void follow(names),
    diary: () => diary,
    keepsOpen: false,
    routes,
    received: ({ seat, kind, field }) => received(seat, kind, field),
    arrives: ({ seat, kind, field, by, within }) =>
      grows(() => received(seat, kind, field), by, within),
    leaves: ({ kind, field, by, within }) => grows(() => sent(kind, field), by, within),
  };
})();
