import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const program = resolve(process.env["TASK_API"] ?? "../../.venv/bin/task-api");

/** The real server, in a folder of its own, on an embedded PostgreSQL. */
export class Server {
  private constructor(
    readonly baseUrl: string,
    private readonly secret: string,
    private readonly folder: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "task-api-client-"));
    const secret = randomBytes(32).toString("hex");
    const child = spawn(program, ["dev"], {
      cwd: folder,
      env: { ...environment(secret), PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    const ended = once(child, "exit");
    const stop = async () => {
      child.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true });
    };
    const baseUrl = await address(child.stdout);
    if (baseUrl !== undefined) return new Server(baseUrl, secret, folder, stop);
    await stop();
    throw new Error(`${program} dev has ended before it served:\n${said}`);
  }

  /** Removes all that is this person's. */
  async erase(user: string): Promise<void> {
    const database = `postgresql://task_app@/postgres?host=${this.folder}/.data/postgres`;
    const env = { ...environment(this.secret), DATABASE_URL: database };
    await promisify(execFile)(program, ["erase", user, "--yes"], { env });
  }

  async token(user: string, secret = this.secret): Promise<string> {
    const run = promisify(execFile);
    return (await run(program, ["token", user], { env: environment(secret) })).stdout.trim();
  }
}

async function address(stdout: Readable): Promise<string | undefined> {
  try {
    for await (const line of createInterface(stdout)) {
      const found = /The task API is at (\S+)/.exec(line)?.[1];
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    stdout.resume(); // nobody reads on, and the pipe must not fill
  }
}

/** Nothing of the developer's own environment reaches the program under test. */
function environment(secret: string): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, BETTER_AUTH_SECRET: secret };
}
