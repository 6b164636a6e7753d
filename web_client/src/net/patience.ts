import type { Problem } from "../protocol";
import { OPEN_FIRST, OPEN_MOST, QUICK_FOR, QUICK_MOST, RETRY_MOST } from "../timing";
import type { Outcome } from "./api";
import { backoff } from "./backoff";

const UNAVAILABLE = 503; // what every server says of a visit that is on its way to another

/** How soon and how long a link is asked again, until a socket is up. Milliseconds. */
export class Patience {
  /** How long the next answer is waited for. */
  within = OPEN_MOST;
  private tries = 0;
  private asked = 0; // by the server, before the next try
  private most = RETRY_MOST;
  private lostAt = Number.NEGATIVE_INFINITY;
  private openedOnce = false;

  /** All is well, or somebody wants to begin at once. */
  begin(): void {
    this.tries = 0;
    this.asked = 0;
    this.within = this.openedOnce ? OPEN_FIRST : OPEN_MOST;
  }

  /** A socket that was up is gone. */
  lost(): void {
    this.lostAt = performance.now();
  }

  /** The pause before the next try. */
  rest(): number {
    if (this.tries === 0) return 0;
    const most = this.isJustLost ? QUICK_MOST : this.most;
    return Math.max(backoff(this.tries - 1, most), this.asked);
  }

  met(outcome: Outcome<unknown>): void {
    this.tries += 1;
    const problem = outcome.kind === "refused" ? outcome.problem : null;
    this.asked = (problem?.retry_after ?? 0) * 1000;
    this.most = problem?.status === UNAVAILABLE ? QUICK_MOST : RETRY_MOST;
    if (outcome.kind === "silent") this.within = Math.min(this.within * 2, OPEN_MOST);
    if (outcome.kind === "reply") this.openedOnce = true;
  }

  /**
   * Whether this refusal ends it. A session may outlive its link, which staff can replace: where
   * `afresh` does not say that only a new one will do, the socket has its chances first.
   */
  isFinal(problem: Problem, afresh: boolean): boolean {
    if (problem.status >= 500 || (problem.status === 429 && this.openedOnce)) return false;
    return afresh || problem.code !== "link_unknown" || !this.isJustLost;
  }

  private get isJustLost(): boolean {
    return performance.now() - this.lostAt < QUICK_FOR;
  }
}
