import { keepAwake } from "../lib/awake";
import type { Store } from "../lib/store";
import { chime } from "../media/sound";
import { closedTitle } from "../screens/closed";
import { type Cue, cuesBetween, keepsAwake } from "../state/cues";
import { closedCode, type JoinEvent, type JoinState, screenOf } from "../state/join";
import { VIBRATION } from "../timing";
import type { Words } from "../words";

type JoinStore = Store<JoinState, JoinEvent>;

/**
 * Reaches somebody who is not looking at the page: sounds, vibration, the title, words for screen
 * readers, a lit screen. Returns the way to stop.
 */
export function keepInPresence(
  store: JoinStore,
  words: Words,
  say: (news: string) => void,
): () => void {
  const awake = keepAwake(() => keepsAwake(store.state));
  const title = (): void => {
    document.title = titleOf(store.state, words);
  };
  const stop = store.listen((next, previous) => {
    const cues = cuesBetween(previous.view, next.view);
    for (const kind of new Set(cues.map((cue) => cue.kind))) sound(kind);
    const news = cues.map((cue) => sentence(cue, words)).filter(Boolean);
    if (news.length > 0) say(news.join(" "));
    awake.refresh();
    title();
  });
  document.addEventListener("visibilitychange", title);
  title();
  awake.refresh();
  return () => {
    stop();
    awake.stop();
    document.removeEventListener("visibilitychange", title);
  };
}

function sound(kind: Cue["kind"]): void {
  if (kind === "arrived") chime("arrival");
  if (kind === "joining") chime("joining");
  if (kind === "videoBack") chime("message");
  if (kind !== "admitted" && kind !== "message") return;
  chime(kind);
  navigator.vibrate?.(VIBRATION);
}

function sentence(cue: Cue, { t }: Words): string {
  if (cue.kind === "message") return t("said.message", { text: cue.text });
  if (cue.kind === "videoBack") return ""; // the page says it where the buttons are
  if ("name" in cue) return t(`said.${cue.kind}`, { name: cue.name || t("said.somebody") });
  return t(`said.${cue.kind}`);
}

function titleOf(state: JoinState, { t }: Words): string {
  const practice = state.view?.practice.name ?? "";
  const waiting = state.view?.waiting.length ?? 0;
  const screen = screenOf(state);
  const code = closedCode(state);
  const parts = [practice || t("page.title")];
  if (screen === "visit") {
    parts.unshift(document.hidden ? t("title.admitted") : t("visit.title"));
    if (waiting > 0) parts.unshift(t("title.waiting", { n: waiting }));
  }
  if (screen === "waiting") parts.unshift(t("waiting.title"));
  if (code) parts.unshift(t(closedTitle(code)));
  return parts.join(" · ");
}
