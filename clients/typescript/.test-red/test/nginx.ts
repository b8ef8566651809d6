import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TestContext } from "node:test";

const PATH = `${process.env["PATH"]}:/usr/sbin`;
const MAX_TRIES = 100;

/** The address of a real nginx before this one, which compresses; the test is skipped without it. */
export async function behindNginx(t: TestContext, api: string): Promise<string | undefined> {
  if (spawnSync("nginx", ["-v"], { env: { PATH } }).error !== undefined) {
    if (process.env["CI"]) throw new Error("nginx is not installed");
    return t.skip("nginx is not installed"), undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), "task-api-nginx-"));
  const port = await freePort();
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off; ${process.getuid?.() === 0 ? "user root;" : ""}
    pid ${folder}/pid; error_log stderr; events {}
    http {
      access_log off;
      ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ")}
      gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass ${api}; proxy_http_version 1.1; }
      }
    }`,
  );
  const options = ["-p", folder, "-c", join(folder, "nginx.conf")];
  const nginx = spawn("nginx", options, { env: { PATH }, stdio: "ignore" });
  const ended = once(nginx, "exit");
  t.after(async () => {
    nginx.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  });
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (await listens(port)) return `http://127.0.0.1:${port}`;
    await setTimeout(100);
  }
  throw new Error("nginx does not listen");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy() && true));
    socket.once("error", () => resolve(false));
  });
}
