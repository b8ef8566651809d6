import {
  type BatchResult,
  canRetry,
  indexedDBStorage,
  type Operation,
  Outbox,
  type OutboxState,
  type Refusal,
  type TaskClient,
} from "task-api-client";
import type { Task } from "./api";
import { SignedOut } from "./session";

const PAUSE_MS = 5_000; // after something has prevented that it is sent

/** Who is told what has come of it in the end. `task`: as it is now, unless it is deleted. */
export interface Told {
  doneLater(operation: Operation, task: Task | undefined): void;
  refusedLater(refusal: Refusal): void;
}

/** What was done while the API could not be reached: kept in this browser until the API has it. */
export class Unsent {
  waiting: Operation[] = [];
  /** Whether the API did not answer when it was asked last. */
  isCutOff = false;
  ofCreations: Told | undefined;
  ofChanges: Told | undefined;
  readonly #outbox: Outbox;
  readonly #journal: string;
  readonly #handled = new Set<string>(); // refusals
  #notBefore = 0; // by the clock of the page
  #adding: Operation[] = []; // and not stored yet

  constructor(client: TaskClient, userId: string) {
    this.#journal = journalOf(userId);
    this.#outbox = new Outbox({
      tasks: client,
      storage: indexedDBStorage({ user: userId }),
      onChange: ({ waiting }) => (this.waiting = waiting),
      onResult: (operation, { status, body }) => {
        const task = status < 400 ? (body as Task | undefined) : undefined;
        if (isDone(operation, status)) this.#told(operation)?.doneLater(operation, task);
      },
    });
  }

  /** Whether what is done now has to wait: for the API, or for what was done before. */
  get isNeeded(): boolean {
    return this.isCutOff || this.waiting.length > 0 || navigator.onLine === false;
  }

  /** Whether something waits that can be sent now. */
  get isReady(): boolean {
    return this.waiting.length > 0 && !this.isCutOff && performance.now() >= this.#notBefore;
  }

  /** What waits, also from another tab and from a page that was left in the middle of it. */
  async read(): Promise<void> {
    const left = localStorage.getItem(this.#journal);
    if (left !== null) {
      await this.add(...(JSON.parse(left) as Operation[]));
      localStorage.removeItem(this.#journal);
    }
    this.#take(await this.#outbox.state());
  }

  async add(...operations: Operation[]): Promise<void> {
    this.#adding = [...this.#adding, ...operations];
    await this.#outbox.revise((unsent, sending) =>
      operations.reduce((unsent, next) => folded(unsent, next, sending), unsent),
    );
    this.#adding = this.#adding.filter((each) => !operations.includes(each));
  }

  /** Does it now, or keeps it if the API cannot be reached. */
  async orLater(operation: Operation, send: () => Promise<void>): Promise<void> {
    if (!this.isNeeded)
      try {
        return await send();
      } catch (error) {
        if (error instanceof SignedOut || !canRetry(error)) throw error;
      }
    await this.add(operation);
  }

  /** Sends what waits. Throws what prevents that. */
  async flush(): Promise<void> {
    this.#notBefore = performance.now() + PAUSE_MS;
    await this.#outbox.flush();
    this.#notBefore = 0;
    this.#take(await this.#outbox.state());
  }

  /** The page is left, and nothing can be waited for: the next one takes these over. */
  leave(operations: Operation[]): void {
    const left = JSON.parse(localStorage.getItem(this.#journal) ?? "[]") as Operation[];
    const all = [...left, ...this.#adding, ...operations];
    if (all.length > 0) localStorage.setItem(this.#journal, JSON.stringify(all));
  }

  /** What waits to be done to that task. */
  of(task: Pick<Task, "id" | "uid">): Operation[] {
    return this.waiting.filter((each) => each.op !== "create" && names(each, task));
  }

  #told({ op }: Operation): Told | undefined {
    return op === "create" ? this.ofCreations : this.ofChanges;
  }

  #take({ waiting, refused }: OutboxState): void {
    this.waiting = waiting;
    for (const refusal of refused) {
      if (this.#handled.has(refusal.id)) continue;
      this.#handled.add(refusal.id);
      this.#told(refusal.operation)?.refusedLater(refusal);
      void this.#outbox.dismiss(refusal.id);
    }
  }
}

/** Where a page that is left writes what is not in the outbox yet. */
export function journalOf(userId: string): string {
  return `task-api-unsent ${userId}`;
}

/** Names the task of an operation: by its uid as long as the API has given it no id. */
export function nameOf({ id, uid }: Pick<Task, "id" | "uid">): { id: number } | { uid: string } {
  return id < 0 && uid !== null ? { uid } : { id };
}

export function names(operation: Operation, { id, uid }: Pick<Task, "id" | "uid">): boolean {
  if ("id" in operation && operation.id !== undefined) return operation.id === id;
  return Boolean(uid) && operation.uid === uid;
}

/** To delete what is gone is done, too. */
function isDone({ op }: Operation, status: BatchResult["status"]): boolean {
  return status < 400 || (op === "delete" && status === 404);
}

/**
 * What waits, and one more. Of each task there is at most what makes or changes it, and then whether
 * it is completed; or that it is deleted. So one of them says which version was seen. What follows
 * one that is being sent says none: it would be the version which that one makes.
 */
export function folded(unsent: Operation[], next: Operation, sending: Operation[]): Operation[] {
  const isSame = (each: Operation) => {
    const [one, other] = [each, next].map((op) => ("id" in op ? op.id : op.uid));
    return one === other;
  };
  const mine = unsent.filter(isSame);
  const [first] = mine;
  if (mine.some(({ op }) => op === "delete" || op === next.op && op === "create")) return unsent;
  if (next.op === "create") return [...unsent, next];
  const { if_version: seen, ...rest } = next;
  const before = first && "if_version" in first ? first.if_version : undefined;
  const version = first ? before : sending.some(isSame) ? undefined : seen;
  const checked = (op: Operation): Operation =>
    version === undefined ? op : ({ ...op, if_version: version } as Operation);
  const replace = (old: Operation, ...by: Operation[]) =>
    unsent.flatMap((each) => (each === old ? by : [each]));

  if (next.op === "delete") return [...unsent.filter((each) => !isSame(each)), checked(rest)];
  const same = mine.find(({ op }) => op === next.op || (next.op === "update" && op === "create"));
  if (same) return replace(same, { ...same, ...rest, op: same.op } as Operation);
  if (!first) return [...unsent, checked(rest)];
  if (next.op === "complete") return [...unsent, rest];
  const { if_version: _, ...completion } = first as Extract<Operation, { op: "complete" }>;
  return replace(first, checked(rest), completion);
}
