import { render } from "preact";
import { practiceOf } from "../lib/page";
import { PhoneApp } from "./phone_app";
import { PhonePage } from "./phone_page";

const root = document.getElementById("app") as HTMLElement;
root.replaceChildren();
render(<PhonePage app={new PhoneApp()} practice={practiceOf(document)} />, root);
