import { CONTROL_TICK } from "../timing";

/** What `/demo/control` says of the demo. */
interface DemoView {
  networks: Record<string, string>;
  phone: string;
}

const ADDRESS = "/demo/control";
const STATES: Record<string, string> = {
  good: "The patient's network is good.",
  light: "The patient's network is a little broken: as in a busy café.",
  heavy: "The patient's network is badly broken: as in a car park.",
  cut: "The patient's network is cut: nothing gets through.",
};
const UNREACHABLE = "The demo cannot be reached. Is it still running?";

const panel = document.getElementById("control") as HTMLElement;
const state = document.getElementById("control-state") as HTMLElement;
const phone = document.getElementById("control-phone") as HTMLSelectElement;
const buttons = [...panel.querySelectorAll<HTMLButtonElement>("[data-network]")];

/** Said once: a live region that is written again is read again. */
function say(text: string): void {
  if (state.textContent !== text) state.textContent = text;
}

function show(view: DemoView): void {
  const network = view.networks.patient ?? "good";
  panel.hidden = false;
  say(STATES[network] ?? "");
  for (const button of buttons) {
    const isNow = button.dataset.network === network;
    button.setAttribute("aria-pressed", String(isNow));
  }
  if (document.activeElement !== phone) phone.value = view.phone;
}

async function ask(order?: Record<string, string>): Promise<void> {
  const answer = await fetch(
    ADDRESS,
    order
      ? {
          method: "POST",
          body: JSON.stringify(order),
          headers: { "Content-Type": "application/json" },
        }
      : {},
  ).catch(() => null);
  if (!answer) return say(UNREACHABLE);
  const reply = await answer.json();
  if (answer.ok) show(reply);
  else if (order) say(reply.title);
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    void ask({ seat: "patient", network: button.dataset.network ?? "good" });
  });
}
phone.addEventListener("change", () => void ask({ phone: phone.value }));
setInterval(() => {
  if (document.visibilityState === "visible" && !refusalIsShown()) void ask();
}, CONTROL_TICK);
document.addEventListener("visibilitychange", () => void ask());
void ask();

/** What was refused stays to be read until something else is tried. */
function refusalIsShown(): boolean {
  const text = state.textContent ?? "";
  return text !== "" && text !== UNREACHABLE && !Object.values(STATES).includes(text);
}
