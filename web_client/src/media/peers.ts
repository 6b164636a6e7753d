import type { IceServer, VisitNews } from "../protocol";

type Offer = VisitNews["media:offer"];
type Connection = Offer["connection"];

interface Peer {
  id: string;
  number: number;
  pc: RTCPeerConnection;
}

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
 */
export class Peers {
  iceServers: IceServer[] = [];
  private peers: Partial<Record<Connection, Peer>> = {};
  private turns: Record<Connection, Promise<void>> = {
    send: Promise.resolve(),
    receive: Promise.resolve(),
  };
  private streams = new Map<string, MediaStream>();
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
    const pc = this.peers.send?.pc;
    if (pc) await this.placeTracks(pc);
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

  close(): void {
    for (const peer of Object.values(this.peers)) peer.pc.close();
    this.peers = {};
    this.forgetStreams();
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
    if (offer.connection === "receive") this.forgetStreams();
    const peer = { id: offer.peer, number: 0, pc: this.connection(offer.connection) };
    this.peers[offer.connection] = peer;
    return peer;
  }

  private connection(kind: Connection): RTCPeerConnection {
    const pc = new RTCPeerConnection({ iceServers: this.iceServers, bundlePolicy: "max-bundle" });
    pc.addEventListener("connectionstatechange", () => this.tellConnection());
    if (kind === "receive") pc.addEventListener("track", (event) => this.receive(event));
    return pc;
  }

  private tellConnection(): void {
    this.options.onConnection(Object.values(this.peers).map((peer) => peer.pc.connectionState));
  }

  /** The stream's id is the seat whose sound and picture it carries, or whose telephone. */
  private receive(event: RTCTrackEvent): void {
    const stream = event.streams[0];
    if (!stream) return;
    stream.addEventListener("removetrack", () => {
      if (stream.getTracks().length === 0) this.streams.delete(stream.id);
      this.tellStreams();
    });
    this.streams.set(stream.id, stream);
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

  private forgetStreams(): void {
    this.streams.clear();
    this.tellStreams();
  }

  private tellStreams(): void {
    this.options.onStreams(new Map(this.streams));
  }
}
