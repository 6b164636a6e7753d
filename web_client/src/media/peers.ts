import type { IceServer, VisitNews } from "../protocol";
import { HANDOVER_MOST, HANDOVER_SETTLED, HANDOVER_TICK } from "../timing";

type Offer = VisitNews["media:offer"];
type Connection = Offer["connection"];

interface Peer {
  id: string;
  number: number;
  pc: RTCPeerConnection;
  streams: Map<string, MediaStream>;
  upAt: number; // when it connected
}

type Pair = Partial<Record<Connection, Peer>>;

export interface PeersOptions {
  answer: (peer: string, number: number, sdp: string) => void;
  onStreams: (streams: ReadonlyMap<string, MediaStream>) => void;
  onConnection: (states: RTCPeerConnectionState[]) => void;
  onUnusable: () => void;
}

/** The stream `<seat>` is a person's browser, `<seat>.phone` their telephone: one person, one tile. */
export const VOICE_SUFFIX = ".phone";

const SMALL_PICTURE_KBPS = 500; // below this 720p turns to mud; half the size looks better

/**
 * The two peer connections to the server: `send` carries us, `receive` everybody else.
 * The server always offers; an offer with a new peer id replaces the connection of its kind.
 *
 * When the visit moves to another server, the former pair goes on beside the new one for a moment:
 * each person is heard over the former until the new carries them, and hears us over either.
 */
export class Peers {
  iceServers: IceServer[] = [];
  private peers: Pair = {};
  private former: Pair = {};
  private told: ReadonlyMap<string, MediaStream> = new Map();
  private handover: ReturnType<typeof setInterval> | undefined;
  private parting: ReturnType<typeof setTimeout> | undefined;
  private turns: Record<Connection, Promise<void>> = {
    send: Promise.resolve(),
    receive: Promise.resolve(),
  };
  private tracks: (MediaStreamTrack | null)[] = [null, null]; // in the order of the offer
  private kbps = 0;

  constructor(private readonly options: PeersOptions) {}

  accept(offer: Offer): void {
    this.turns[offer.connection] = this.turns[offer.connection]
      .then(() => this.negotiate(offer))
      .catch(() => {
        if (this.peers[offer.connection]?.id === offer.peer) this.options.onUnusable();
      });
  }

  async sendTracks(audio: MediaStreamTrack | null, video: MediaStreamTrack | null): Promise<void> {
    if (this.tracks[0] === audio && this.tracks[1] === video) return;
    this.tracks = [audio, video];
    const sending = [this.peers.send?.pc, this.former.send?.pc].filter((pc) => pc !== undefined);
    await Promise.all(sending.map((pc) => this.placeTracks(pc)));
  }

  limit(kbps: number): void {
    if (this.kbps === kbps) return;
    this.kbps = kbps;
    const pc = this.peers.send?.pc;
    if (pc) void this.applyLimit(pc);
  }

  /** What the browser counts of all that it receives, while it does. */
  async receivedStats(): Promise<RTCStatsReport | null> {
    const pc = this.peers.receive?.pc;
    return pc?.connectionState === "connected" ? pc.getStats() : null;
  }

  /** The session is over and another begins: keep these connections until it has its own. */
  handOver(): void {
    const next = this.peers;
    this.peers = {};
    if (!next.receive || next.receive.upAt === Number.POSITIVE_INFINITY) {
      closeAll(next); // nothing flows there: what was handed over before goes on
      this.tellStreams();
      return;
    }
    this.part();
    this.former = next;
    this.handover = setInterval(() => this.moveStreams(), HANDOVER_TICK);
    this.parting = setTimeout(() => {
      this.part();
      this.tellStreams();
    }, HANDOVER_MOST);
  }

  close(): void {
    this.part();
    closeAll(this.peers);
    this.peers = {};
    this.tellStreams();
  }

  private part(): void {
    clearInterval(this.handover);
    clearTimeout(this.parting);
    closeAll(this.former);
    this.former = {};
  }

  private async negotiate(offer: Offer): Promise<void> {
    const peer = this.peerFor(offer);
    if (offer.number < peer.number) return; // overtaken by a newer offer
    peer.number = offer.number;
    await peer.pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    if (offer.connection === "send") await this.placeTracks(peer.pc);
    await peer.pc.setLocalDescription();
    // The server is ICE-lite and learns our addresses from our checks: nothing to wait for.
    this.options.answer(offer.peer, offer.number, peer.pc.localDescription?.sdp ?? "");
    if (offer.connection === "send") await this.applyLimit(peer.pc);
  }

  private peerFor(offer: Offer): Peer {
    const known = this.peers[offer.connection];
    if (known?.id === offer.peer) return known;
    known?.pc.close();
    const peer = this.newPeer(offer);
    this.peers[offer.connection] = peer;
    if (offer.connection === "receive") this.hearFrom(peer);
    return peer;
  }

  private newPeer({ peer: id, connection }: Offer): Peer {
    const pc = new RTCPeerConnection({ iceServers: this.iceServers, bundlePolicy: "max-bundle" });
    const peer: Peer = { id, number: 0, pc, streams: new Map(), upAt: Number.POSITIVE_INFINITY };
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "connected") {
        peer.upAt = Math.min(peer.upAt, performance.now());
        if (connection === "send") this.saveUplink();
      }
      this.tellConnection();
    });
    return peer;
  }

  private tellConnection(): void {
    this.options.onConnection(Object.values(this.peers).map((peer) => peer.pc.connectionState));
  }

  /** Two pictures at once may be too much for a phone's uplink; who still hears us there may. */
  private saveUplink(): void {
    const picture = this.former.send?.pc.getTransceivers()[1]?.sender;
    void picture?.replaceTrack(null).catch(() => undefined);
  }

  private hearFrom(peer: Peer): void {
    peer.pc.addEventListener("track", (event) => this.receive(peer, event));
    this.tellStreams();
  }

  /** The stream's id is the seat whose sound and picture it carries, or whose telephone. */
  private receive(peer: Peer, event: RTCTrackEvent): void {
    const stream = event.streams[0];
    if (!stream) return;
    stream.addEventListener("removetrack", () => {
      if (stream.getTracks().length === 0) peer.streams.delete(stream.id);
      this.tellStreams();
    });
    peer.streams.set(stream.id, stream);
    this.tellStreams();
  }

  private async placeTracks(pc: RTCPeerConnection): Promise<void> {
    const transceivers = pc.getTransceivers();
    await Promise.all(
      transceivers.slice(0, this.tracks.length).map((transceiver, index) => {
        if (transceiver.direction !== "sendonly") transceiver.direction = "sendonly";
        return transceiver.sender.replaceTrack(this.tracks[index] ?? null);
      }),
    );
  }

  private async applyLimit(pc: RTCPeerConnection): Promise<void> {
    const sender = pc.getTransceivers()[1]?.sender;
    const parameters = sender?.getParameters();
    const encoding = parameters?.encodings[0];
    if (!sender || !parameters || !encoding || this.kbps === 0) return;
    encoding.maxBitrate = this.kbps * 1000;
    encoding.scaleResolutionDownBy = this.kbps <= SMALL_PICTURE_KBPS ? 2 : 1;
    await sender.setParameters(parameters).catch(() => undefined); // the next change sets it again
  }

  private tellStreams(): void {
    this.told = this.streamsNow();
    this.options.onStreams(this.told);
  }

  private moveStreams(): void {
    const now = this.streamsNow();
    if ([...now].some(([id, stream]) => this.told.get(id) !== stream)) this.tellStreams();
  }

  private streamsNow(): Map<string, MediaStream> {
    const { receive } = this.peers;
    const streams = new Map(this.former.receive?.streams);
    for (const [id, stream] of receive?.streams ?? []) {
      if (!streams.has(id) || (receive && carries(receive, stream))) streams.set(id, stream);
    }
    return streams;
  }
}

function closeAll(pair: Pair): void {
  for (const peer of Object.values(pair)) peer.pc.close();
}

/** Whether the stream comes over this connection; of somebody in perfect silence, whether it would. */
function carries({ pc, upAt }: Peer, stream: MediaStream): boolean {
  if (performance.now() - upAt >= HANDOVER_SETTLED) return true;
  const tracks = new Set(stream.getTracks());
  const receivers = pc.getReceivers().filter(({ track }) => tracks.has(track));
  return receivers.some((receiver) => receiver.getSynchronizationSources().length > 0);
}
