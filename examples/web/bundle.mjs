import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const page = fileURLToPath(new URL("page/", import.meta.url));
const STYLESHEET = '<link rel="stylesheet" href="/style.css" />';

/**
 * The page's files by the path they are asked for, made anew at each start. The style is part of
 * the HTML, so that the page is drawn without waiting for another answer; `styleSource` allows just
 * it in a Content-Security-Policy.
 *
 * @param {string} apiOrigin
 * @returns {Promise<{
 *   files: Map<string, { type: string, body: string | Uint8Array }>,
 *   styleSource: string,
 * }>}
 */
export async function bundle(apiOrigin) {
  const [script, style] = await Promise.all([
    bundled("main.ts", { API_ORIGIN: JSON.stringify(apiOrigin) }),
    bundled("style/style.css"),
  ]);
  const html = await readFile(`${page}index.html`, "utf8");
  const preconnect = `<link rel="preconnect" href="${apiOrigin}" crossorigin />`;
  const whole = html.replace(STYLESHEET, () => `${preconnect}<style>${style}</style>`);
  const icon = await readFile(`${page}icon.svg`);
  const version = [whole, script, icon].reduce((hash, file) => hash.update(file), createHash("sha256"));
  const SHELL_VERSION = JSON.stringify(version.digest("hex").slice(0, 16));
  const worker = await bundled("worker.ts", { SHELL_VERSION });
  return {
    files: new Map([
      ["/", { type: "text/html; charset=utf-8", body: whole }],
      ["/icon.svg", { type: "image/svg+xml", body: icon }],
      ["/main.js", { type: "text/javascript; charset=utf-8", body: script }],
      ["/worker.js", { type: "text/javascript; charset=utf-8", body: worker }],
    ]),
    styleSource: `'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  };
}

/** @param {string} entry @param {Record<string, string>} define */
async function bundled(entry, define = {}) {
  const { outputFiles } = await build({
    entryPoints: [`${page}${entry}`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    define,
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
