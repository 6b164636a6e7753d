import { sayGoodbye } from "../net/api";

export interface PageWatchOptions {
  isInside: () => boolean;
  /** Whether the person waits or is in the visit, and did not leave. */
  isUnderWay: () => boolean;
  tell: (name: "page:hidden" | "page:shown") => void;
  credential: () => string;
}

/**
 * Tells the server when this page is out of sight, and when it goes away: both change how soon a
 * silent person is called. A page that is only hidden may be on the very phone that would ring.
 */
export class PageWatch {
  constructor(private readonly options: PageWatchOptions) {
    document.addEventListener("visibilitychange", () => this.tell());
    addEventListener("pagehide", () => {
      if (options.isUnderWay()) sayGoodbye(options.credential());
    });
  }

  /** Call when somebody comes in or the line is back: a new session is taken to be in sight. */
  begin(): void {
    if (document.hidden) this.tell();
  }

  private tell(): void {
    if (this.options.isInside()) this.options.tell(document.hidden ? "page:hidden" : "page:shown");
  }
}
