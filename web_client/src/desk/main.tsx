import { render } from "preact";
import { codeOf, practiceOf, reloadOnNewLink } from "../lib/page";
import { DeskApp } from "./app";
import { DeskPage } from "./page";

reloadOnNewLink();
const app = new DeskApp(codeOf(location));
const root = document.getElementById("app") as HTMLElement;
root.replaceChildren();
render(<DeskPage app={app} practice={practiceOf(document)} />, root);
app.start();
