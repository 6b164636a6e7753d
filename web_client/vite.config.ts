import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const OUT = resolve(import.meta.dirname, "dist");
const squeeze = promisify(gzip);

/** Leaves a `.gz` beside every asset: the server sends those as they are. Pages are templates, so not them. */
function gzipSiblings(): Plugin {
  return {
    name: "gzip-siblings",
    apply: "build",
    async writeBundle() {
      const assets = join(OUT, "assets");
      for (const name of await readdir(assets)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const path = join(assets, name);
        await writeFile(`${path}.gz`, await squeeze(await readFile(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  publicDir: false,
  plugins: [gzipSiblings()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // a data: address would need a wider content security policy
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        join: resolve(import.meta.dirname, "join.html"),
        desk: resolve(import.meta.dirname, "desk.html"),
        demo: resolve(import.meta.dirname, "demo.html"),
        phone: resolve(import.meta.dirname, "phone.html"),
      },
    },
  },
});
