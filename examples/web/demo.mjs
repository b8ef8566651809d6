// Everything on this machine: the page and Better Auth on PORT, the task API on API_PORT.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { startApi } from "./api.mjs";
import { serve } from "./server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const ports = { PORT: 3000, API_PORT: 8000 };

for (const name of /** @type {const} */ (["PORT", "API_PORT"])) {
  ports[name] = Number(process.env[name] || ports[name]);
  if (!(await free(ports[name])))
    fail(`port ${ports[name]} is taken or cannot be had; choose another one with ${name}=...`);
}

const server = await serve({
  port: ports.PORT,
  apiOrigin: `http://localhost:${ports.API_PORT}`,
  data: `${here}.data`,
});
const api = startApi({ port: ports.API_PORT, issuer: server.origin, folder: here });
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    stopping = true;
    void api.stop();
  });
await api.ready().catch((error) => (stopping ? process.exit() : fail(error.message)));
void api.end.then(() => (stopping ? server.close() : fail("the task API has ended; see its log")));

console.log(`
  The page is at      ${server.origin}
  The task API is at  http://localhost:${ports.API_PORT}

  Ctrl-C stops both; data and the API's log stay in examples/web/.data/
`);

/** @param {number} port */
function free(port) {
  return new Promise((resolve) => {
    if (!(port > 0 && port < 65_536)) return resolve(false);
    const probe = createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** @param {string} why @returns {never} */
function fail(why) {
  console.error(`demo: ${why}`);
  process.exit(1);
}
