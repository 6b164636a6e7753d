import { backoff, pause } from "../net/backoff";
import type { PhoneDeed, PhoneNews } from "./phone_state";

export interface PhoneLineOptions {
  onNews: (news: PhoneNews) => void;
  onAway: () => void;
}

function address(): string {
  return `${location.origin.replace(/^http/, "ws")}/demo/phone/line`;
}

/** The page's line to the server: opened again for as long as the phone is to be on. */
export class PhoneLine {
  private socket: WebSocket | null = null;
  private wanted = false;
  private failures = 0;

  constructor(private readonly options: PhoneLineOptions) {}

  open(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  close(): void {
    this.wanted = false;
    this.socket?.close();
    this.socket = null;
  }

  send(deed: PhoneDeed): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(deed));
  }

  private connect(): void {
    const socket = new WebSocket(address());
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.failures = 0;
      if (this.socket === socket) this.options.onNews(JSON.parse(data));
    });
    socket.addEventListener("close", () => {
      if (this.socket === socket && this.wanted) void this.connectAgain();
    });
  }

  private async connectAgain(): Promise<void> {
    this.options.onAway();
    await pause(backoff(this.failures));
    this.failures += 1;
    if (this.wanted) this.connect();
  }
}
