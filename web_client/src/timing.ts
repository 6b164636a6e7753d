/** Every duration and rate of the browser app, each with its reason. Milliseconds unless said. */

export const RETRY_FIRST = 300; // a server that restarts is often back at once
export const RETRY_MOST = 5_000; // nobody should look at a dead page longer than this
export const ANSWER_WITHIN = 8_000; // a signal without an answer for this long has failed
export const PROOF_WITHIN = 1_500; // two round trips of a slow phone; else the socket is replaced
export const RENEW_AT = 0.6; // share of a token's life; leaves room for several tries
export const BANNER_AFTER = 1_500; // shorter gaps are not worth frightening anybody
export const RESTART_APART = 2_000; // two network events of one change make one restart
export const RESTART_EVERY = 4_000; // while a connection stays down: longer than a round of checks
export const REOPEN_AFTER = 20_000; // restarts have not helped: begin again with new connections
export const ARRIVAL_APART = 5_000; // a family of four arriving together is one chime
export const ARRIVAL_AGAIN = 30_000; // while somebody waits whom nobody has seen
export const CLOCK_TICK = 15_000; // minutes are shown, so this is often enough
export const SECOND_TICK = 1_000; // where seconds are shown
export const MOVING_TICK = 1_000; // a picture without a new frame for this long stands still
export const CONTACT_KEPT = 60_000; // for a phone to read the card; some ask a question first
export const LEVEL_TICK = 200; // words about the microphone; faster would flicker
export const HEARD_FOR = 2_000; // "we can hear you" stays this long after the last sound
export const EARLY_FIRST = 30_000; // the soonest an early page asks again by itself
export const EARLY_MOST = 300_000; // and the latest: the reader's clock may be wrong
export const HEARD_TICK = 1_000; // the server measures in seconds
export const STEADY_COUNTS = 15; // ticks; after a cut, a sender's backlog took 14 s to be played off
export const MEDIA_TICK = 1_000; // how often a broken connection is looked at
export const RING_EVERY = 4_000; // of the demo's phone; real ones ring every five or six seconds
export const RING_LENGTH = 1_600; // two fifths of that, which is how telephones ring
export const CONTROL_TICK = 2_000; // scripts may break the demo's networks as well
export const VIBRATION = [200, 100, 200]; // two short pulses, as telephones do
