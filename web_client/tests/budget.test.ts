import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { beforeAll, describe, expect, it, vi } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PAGES = ["join.html", "desk.html", "demo.html", "phone.html"];
const KB = 1000;

type Output = Rolldown.RolldownOutput["output"];
let output: Output;

beforeAll(async () => {
  vi.stubEnv("NODE_ENV", "production"); // else libraries come as developers debug them
  const built = await build({
    configFile: join(ROOT, "vite.config.ts"),
    logLevel: "silent",
    build: { write: false },
  });
  output = (built as Rolldown.RolldownOutput).output;
});

function text(name: string): string {
  const file = output.find((each) => each.fileName === name);
  if (!file) throw new Error(`the build made no ${name}`);
  return file.type === "chunk" ? file.code : String(file.source);
}

/** What a page loads by itself, with everything those scripts import. */
function loadedBy(page: string, suffix: string): string[] {
  return [...text(page).matchAll(/(?:src|href)="\/([^"]+)"/g)]
    .map(([, name = ""]) => name)
    .filter((name) => name.endsWith(suffix));
}

function squeezed(names: string[]): number {
  return names.reduce((sum, name) => sum + gzipSync(text(name), { level: 9 }).length, 0);
}

describe("the page of patients", () => {
  it("loads at most 60 KB of script", () => {
    const scripts = loadedBy("join.html", ".js");
    expect(scripts.length).toBeGreaterThan(0);
    expect(squeezed(scripts)).toBeLessThan(60 * KB);
  });

  it("loads at most 15 KB of style", () => {
    const styles = loadedBy("join.html", ".css");
    expect(styles.length).toBeGreaterThan(0);
    expect(styles.reduce((sum, name) => sum + text(name).length, 0)).toBeLessThan(15 * KB);
  });
});

describe.each(PAGES)("%s", (page) => {
  it("loads nothing from another place", () => {
    expect(text(page)).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it("has no script or style inside, which the content policy would stop", () => {
    expect(text(page)).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  });

  it("says something before any script", () => {
    expect(text(page)).toMatch(/<h1>[^<]+<\/h1>\s*<p[^>]*>[^<]{20,}/);
  });
});
