import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const page = fileURLToPath(new URL("page/", import.meta.url));

/**
 * The page's files by the path they are asked for, made anew at each start.
 *
 * @param {string} apiOrigin
 * @returns {Promise<Map<string, { type: string, body: string | Uint8Array }>>}
 */
export async function bundle(apiOrigin) {
  const script = await build({
    entryPoints: [`${page}main.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    define: { API_ORIGIN: JSON.stringify(apiOrigin) },
    write: false,
  });
  return new Map([
    ["/", { type: "text/html; charset=utf-8", body: await readFile(`${page}index.html`) }],
    ["/style.css", { type: "text/css; charset=utf-8", body: await readFile(`${page}style.css`) }],
    ["/icon.svg", { type: "image/svg+xml", body: await readFile(`${page}icon.svg`) }],
    [
      "/main.js",
      { type: "text/javascript; charset=utf-8", body: script.outputFiles[0]?.contents ?? "" },
    ],
  ]);
}
