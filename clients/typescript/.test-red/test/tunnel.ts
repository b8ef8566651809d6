import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A way to the server that can be shut: real sockets, which break, fall silent or lose answers. */
export class Tunnel {
  /** How many connections have come in. */
  connections = 0;
  /** How many answers are to be lost: the server has done what was asked, and nobody hears of it. */
  losesAnswers = 0;
  readonly #sockets = new Set<Socket>();

  #hold: { begun: () => void; over: Promise<void> } | undefined;

  private constructor(
    private readonly entry: Server,
    private readonly port: number,
  ) {}

  /** `answer`: what somebody on the way answers in the server's stead. */
  static async to(baseUrl: string, answer?: string): Promise<Tunnel> {
    const { hostname, port } = new URL(baseUrl);
    const entry = createServer((client) => {
      if (answer === undefined) return tunnel.#join(client, connect(Number(port), hostname));
      client.on("error", () => {}).once("data", () => client.end(answer));
    });
    entry.listen(0, "127.0.0.1");
    await once(entry, "listening");
    const tunnel = new Tunnel(entry, (entry.address() as AddressInfo).port);
    return tunnel;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything breaks, and nobody answers. */
  async shut(): Promise<void> {
    const closed = once(this.entry, "close");
    this.entry.close();
    this.breakOff();
    await closed;
  }

  async reopen(): Promise<void> {
    this.entry.listen(this.port, "127.0.0.1");
    await once(this.entry, "listening");
  }

  /** How many ends of connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  breakOff(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Answers wait from now on; `held` when the first one does. */
  holdsAnswers(): { held: Promise<void>; release: () => void } {
    let [begun, release] = [() => {}, () => {}];
    const held = new Promise<void>((resolve) => (begun = resolve));
    const over = new Promise<void>((resolve) => (release = resolve));
    this.#hold = { begun, over };
    return { held, release };
  }

  /** The connections that are open stay open, and nothing comes through them any more. */
  fallsSilent(): void {
    for (const socket of this.#sockets) socket.unpipe().removeAllListeners("data").resume();
  }

  #join(client: Socket, server: Socket): void {
    this.connections++;
    for (const [one, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(one);
      one.on("error", () => {}).on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.pipe(server);
    server.on("data", async (chunk) => {
      this.#hold?.begun();
      await this.#hold?.over;
      if (this.losesAnswers === 0) return client.write(chunk);
      this.losesAnswers--;
      return client.destroy();
    });
  }
}
