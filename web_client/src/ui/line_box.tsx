import { type LineDeed, lineStory } from "../state/lines";
import { useWords } from "../words";
import { type LineOrders, LineStory, type LineStoryProps } from "./line_story";
import { Reach } from "./reach";

export interface LineBoxProps extends LineStoryProps {
  name: string;
  orders: LineOrders;
  /** Calls bring people into a visit: only for somebody who is inside. */
  inside: boolean;
}

const MAIN: ReadonlySet<LineDeed> = new Set(["call", "greet", "let_in", "confirm"]);

/** How somebody is connected, what to do about it, and how else to reach them. */
export function LineBox({ name, orders, inside, ...story }: LineBoxProps) {
  const { t } = useWords();
  const deeds = (inside && lineStory(story.report, story.reader)?.deeds) || [];
  return (
    <>
      <LineStory {...story} />
      <div class="row line-deeds">
        {deeds.map((deed, index) => (
          <button
            key={deed}
            type="button"
            class={`button button-small ${index === 0 && MAIN.has(deed) ? "button-main" : ""}`}
            onClick={() => (deed === "call" ? orders.call() : orders.perform(deed))}
          >
            {t(`line.deed.${deed}`, { name: name || t("list.unnamed") })}
          </button>
        ))}
      </div>
      <Reach name={name} report={story.report} orders={orders} inside={inside} />
    </>
  );
}
