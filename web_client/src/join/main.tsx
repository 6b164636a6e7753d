import { render } from "preact";
import { codeOf, practiceOf, reloadOnNewLink } from "../lib/page";
import { JoinApp } from "./app";
import { JoinPage } from "./page";

reloadOnNewLink();
const app = new JoinApp(codeOf(location));
const root = document.getElementById("app") as HTMLElement;
root.replaceChildren();
render(<JoinPage app={app} practice={practiceOf(document)} />, root);
app.start();
