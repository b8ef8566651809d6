import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { createAuth } from "./auth.mjs";
import { bundle } from "./bundle.mjs";

/**
 * The page and Better Auth, on one origin.
 *
 * @param {{ port: number, apiOrigin: string, data: string, tokenLifetime?: string }} options
 *   `data` is a folder for the secret and the database of Better Auth.
 */
export async function serve({ port, apiOrigin, data, tokenLifetime = "15m" }) {
  mkdirSync(data, { recursive: true });
  const origin = `http://localhost:${port}`;
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  const { files, styleSource } = await bundle(apiOrigin);
  const auth = await createAuth({
    origin,
    secret: keptSecret(`${data}/better-auth-secret`),
    file: ownedFile(`${data}/better-auth.sqlite`),
    tokenLifetime,
  });
  const answerAuth = toNodeHandler(auth);
  const headers = {
    "content-security-policy": policy(apiOrigin, styleSource),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };

  server.on("request", (request, response) => {
    const path = (request.url ?? "/").replace(/\?.*/s, "");
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (path.startsWith("/api/auth/")) {
      response.setHeader("cache-control", "no-store");
      answerAuth(request, response).catch(() => response.destroy());
      return;
    }
    const file = files.get(path);
    response.setHeader("cache-control", "no-cache");
    response.setHeader("content-type", file?.type ?? "text/plain; charset=utf-8");
    response.statusCode = file ? 200 : 404;
    response.end(file?.body ?? "There is nothing here.\n");
  });

  return {
    origin,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Nothing from elsewhere, and nothing inline but the page's own style; only the API is talked to.
 *
 * @param {string} apiOrigin @param {string} styleSource
 */
function policy(apiOrigin, styleSource) {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${styleSource}`,
    "img-src 'self'",
    `connect-src 'self' ${apiOrigin}`,
    "base-uri 'none'",
    "worker-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types worker",
  ].join("; ");
}

/** Made at random at the first start, readable by its owner alone. @param {string} path */
function keptSecret(path) {
  try {
    writeFileSync(path, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  return readFileSync(path, "utf8");
}

/** SQLite gives its other files the same permissions. @param {string} path */
function ownedFile(path) {
  closeSync(openSync(path, "a", 0o600));
  return path;
}
