import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApi } from "../../examples/web/api.mjs";
import { serve } from "../../examples/web/server.mjs";

/** The page, Better Auth, the task API and its PostgreSQL, on free ports and on data of their own. */
export class Stack {
  #api: ReturnType<typeof startApi> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly apiPort: number,
    private readonly server: Awaited<ReturnType<typeof serve>>,
  ) {}

  static async start(tokenLifetime: string): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), "task-e2e-"));
    const [port, apiPort] = [await freePort(), await freePort()];
    const apiOrigin = `http://localhost:${apiPort}`;
    const server = await serve({ port, apiOrigin, data: join(folder, "auth"), tokenLifetime });
    const stack = new Stack(folder, apiPort, server);
    await stack.startApi().catch(async (error) => {
      await stack.stop();
      throw error;
    });
    return stack;
  }

  get origin(): string {
    return this.server.origin;
  }

  get apiOrigin(): string {
    return `http://localhost:${this.apiPort}`;
  }

  get log(): string {
    return join(this.folder, ".data/task-api.log");
  }

  async startApi(): Promise<void> {
    const { apiPort: port, origin: issuer, folder } = this;
    this.#api ??= startApi({ port, issuer, folder });
    await this.#api.ready();
  }

  async stopApi(): Promise<void> {
    await this.#api?.stop();
    this.#api = undefined;
  }

  async stop(): Promise<void> {
    await this.stopApi();
    this.server.close();
    await rm(this.folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
