import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../.venv/bin/task-api", import.meta.url));

/**
 * `task-api dev`, which believes the tokens of one Better Auth. Its data and its log are in
 * `folder`/.data.
 *
 * @param {{ port: number, issuer: string, folder: string }} options
 */
export function startApi({ port, issuer, folder }) {
  mkdirSync(`${folder}/.data`, { recursive: true });
  const log = `${folder}/.data/task-api.log`;
  const { BETTER_AUTH_SECRET: _, ...environment } = process.env;
  const child = spawn(program, ["dev"], {
    cwd: folder,
    env: {
      ...environment,
      PORT: String(port),
      AUTH_JWKS_URL: `${issuer}/api/auth/jwks`,
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: issuer,
      CORS_ORIGINS: issuer,
    },
    stdio: ["ignore", "ignore", openSync(log, "w", 0o600)],
    detached: true, // or Ctrl-C would reach it a second time
  });

  let ended = false;
  const end = new Promise((resolve) => {
    child.once("error", resolve).once("exit", resolve);
  }).then(() => {
    ended = true;
  });

  return {
    end,

    /** Resolves once it answers. */
    async ready() {
      while (!(await answers(port))) {
        if (ended) {
          const why = readFileSync(log, "utf8").trim().split("\n").at(-1);
          throw new Error(why || `${program} cannot be run; make install`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },

    async stop() {
      child.kill("SIGINT");
      await end;
    },
  };
}

/** @param {number} port */
async function answers(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
