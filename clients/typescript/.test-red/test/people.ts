import { randomBytes, randomUUID } from "node:crypto";
import { createTaskClient, type Fetch, type TaskClient } from "../src/index.js";
import type { Server } from "./server.js";

/** Somebody nobody has met before, with a token and a record of what went over the wire. */
export class Person {
  readonly sent: Request[] = [];
  readonly asked: boolean[] = []; // `refresh`, each time the token was asked for
  readonly tasks: TaskClient;

  private constructor(
    baseUrl: string,
    readonly id: string,
    tokens: { first: string; fresh: string },
    fetch: Fetch,
  ) {
    let token = tokens.first;
    this.tasks = createTaskClient({
      baseUrl,
      token: async ({ refresh }) => {
        this.asked.push(refresh);
        if (refresh) token = tokens.fresh;
        return token;
      },
      fetch: (request) => {
        this.sent.push(request.clone());
        return fetch(request);
      },
    });
  }

  static async called(name: string, server: Server, at = server.baseUrl): Promise<Person> {
    const id = `${name}-${randomUUID()}`;
    const token = await server.token(id);
    return new Person(at, id, { first: token, fresh: token }, fetch);
  }

  /** The first token is signed under a secret that is no longer the server's. */
  static async withOldToken(name: string, server: Server, send: Fetch = fetch): Promise<Person> {
    const id = `${name}-${randomUUID()}`;
    const [first, fresh] = await Promise.all([
      server.token(id, randomBytes(32).toString("hex")),
      server.token(id),
    ]);
    return new Person(server.baseUrl, id, { first, fresh }, send);
  }

  /** Every token is refused. */
  static async stranger(server: Server): Promise<Person> {
    const token = await server.token("stranger", randomBytes(32).toString("hex"));
    return new Person(server.baseUrl, "stranger", { first: token, fresh: token }, fetch);
  }

  /** Another device of theirs, with a token of its own. */
  async device(server: Server, at = server.baseUrl): Promise<Person> {
    const token = await server.token(this.id);
    return new Person(at, this.id, { first: token, fresh: token }, fetch);
  }

  keys(): (string | null)[] {
    return this.sent.map(({ headers }) => headers.get("Idempotency-Key"));
  }
}
