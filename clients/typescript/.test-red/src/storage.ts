import type { Operation } from "./batch.js";
import type { ProblemError } from "./problem.js";

/** An operation that the API has refused, and why. */
export type Refusal = { id: string; operation: Operation } & Pick<
  ProblemError,
  "status" | "kind" | "title" | "detail" | "errors" | "current"
>;

/** What an outbox keeps. */
export type OutboxState = {
  /** What is not done yet, in order. */
  waiting: Operation[];
  /** How many of them are being sent, and their Idempotency-Key. */
  batch?: { key: string; size: number } | undefined;
  refused: Refusal[];
};

/** Where the outbox of a person is kept. */
export interface OutboxStorage {
  /** The same in all tabs that share it, and in no others. */
  readonly name: string;
  read(): Promise<OutboxState>;
  /** Replaces what is stored, atomically, and resolves to it when it is durable. */
  update(change: (state: OutboxState) => OutboxState): Promise<OutboxState>;
}

const EMPTY: OutboxState = { waiting: [], refused: [] };

/** Lasts as long as the page. */
export function memoryStorage(): OutboxStorage {
  let state = EMPTY;
  return {
    name: crypto.randomUUID(),
    read: async () => state,
    update: async (change) => (state = change(state)),
  };
}

const STORE = "outbox";
const KEY = "state";

/** Lasts in the browser. `user`: who does what is in it; others have their own. */
export function indexedDBStorage({ user }: { user: string }): OutboxStorage {
  const name = `task-api-outbox ${user}`;
  let opened: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const database = opening.result;
        const forget = () => (opened = undefined);
        database.onclose = forget;
        database.onversionchange = () => {
          forget();
          database.close();
        };
        resolve(database);
      };
    });
  }

  async function update(change: (state: OutboxState) => OutboxState): Promise<OutboxState> {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    const database = await opened;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
      const store = transaction.objectStore(STORE);
      const read = store.get(KEY);
      let state: OutboxState;
      read.onsuccess = () => {
        state = change(read.result ?? EMPTY);
        if (state !== read.result) store.put(state, KEY);
      };
      transaction.oncomplete = () => resolve(state);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  return { name, read: () => update((state) => state), update };
}
