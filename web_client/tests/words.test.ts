import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../src/words/en";
import { LANGUAGES, type Language, pickLanguage, speak, type Text } from "../src/words/index";

const SOURCES = join(import.meta.dirname, "..", "src");

function sources(): string {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("words"))
    .map((name) => readFileSync(join(SOURCES, name), "utf8"))
    .join("\n");
}

/** A key is used when it is written out, or fits a template such as `role.${role}`. */
function unusedKeys(code: string): string[] {
  const templates = [...code.matchAll(/`([a-z_]+\.[^`\n]*\$\{[^`\n]*)`/g)].map(
    ([, text = ""]) =>
      new RegExp(
        `^${text.replaceAll(".", "\\.").replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "\\w+")}$`,
      ),
  );
  return Object.keys(en).filter(
    (key) => !code.includes(`"${key}"`) && !templates.some((template) => template.test(key)),
  );
}

function gaps(text: Text): string[] {
  const forms = typeof text === "string" ? [text] : Object.values(text);
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
}

describe.each(Object.keys(LANGUAGES) as Language[])("the words in %s", (language) => {
  const words: Record<string, Text> = LANGUAGES[language];

  it("are all there, and no others", () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
  });

  it("are not empty", () => {
    const empty = Object.entries(words).filter(([, text]) =>
      (typeof text === "string" ? [text] : Object.values(text)).some((form) => !form.trim()),
    );
    expect(empty).toEqual([]);
  });

  it("leave the same gaps as the English ones", () => {
    const wrong = Object.entries(en).filter(
      ([key, text]) => String(gaps(words[key] ?? "")) !== String(gaps(text)),
    );
    expect(wrong.map(([key]) => key)).toEqual([]);
  });

  it("have a form for every number", () => {
    const plurals = Object.entries(words).filter(([, text]) => typeof text !== "string");
    for (const [key, text] of plurals) expect(Object.keys(text), key).toContain("other");
  });
});

it("has no word that nobody uses", () => {
  expect(unusedKeys(sources())).toEqual([]);
});

describe("speaking", () => {
  it("fills gaps and chooses the plural", () => {
    expect(speak("en").t("waiting.minutes", { n: 1 })).toBe("1 minute");
    expect(speak("en").t("waiting.minutes", { n: 5 })).toBe("5 minutes");
    expect(speak("es").t("desk.waiting", { n: 2 })).toBe("Esperan 2 personas");
  });

  it("never takes a value for a pattern", () => {
    expect(speak("en").t("said.entered", { name: "$& {name}" })).toBe("$& {name} joined.");
  });

  it("writes times as the reader's country does", () => {
    const afternoon = new Date(2026, 5, 1, 14, 5).getTime() / 1000;
    expect(speak("en", ["en-GB"]).clock(afternoon)).toBe("14:05");
    expect(speak("en", ["en-US"]).clock(afternoon)).toMatch(/2:05\sPM/);
    expect(speak("es", ["es-ES", "en"]).day(afternoon)).toContain("junio");
  });

  it("leaves out the day when it is today", () => {
    const noon = new Date(2026, 5, 1, 12, 0).getTime() / 1000;
    const british = speak("en", ["en-GB"]);
    expect(british.when(noon + 60, noon)).toBe("12:01");
    expect(british.when(noon + 86_400, noon)).toContain("Tuesday");
  });

  it("names languages in the reader's own, and leaves alone what is no language", () => {
    expect(speak("en").nameOf("es")).toBe("Spanish");
    expect(speak("es").nameOf("en")).toBe("inglés");
    expect(speak("en").nameOf("not a tag")).toBe("not a tag");
  });
});

it.each<[(string | null)[], Language]>([
  [[null, null, "es-MX"], "es"],
  [[null, "es", "en-US"], "es"],
  [["en", "es"], "en"],
  [["ES"], "es"],
  [["fr", "es-ES"], "es"],
  [["fr"], "en"],
  [["constructor"], "en"],
  [[], "en"],
])("of %j it picks %s", (tags, language) => expect(pickLanguage(tags)).toBe(language));
