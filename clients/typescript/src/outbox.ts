import type { BatchOptions, BatchResult, Operation } from "./batch.js";
import { ProblemError } from "./problem.js";
import { Alarm, Backoff, canRetry, inTime, type OnError } from "./retry.js";
import type { OutboxState, OutboxStorage, Refusal } from "./storage.js";

const MAX_BATCH = 100; // operations, as the API takes them
const IDLE = 60_000; // milliseconds until it looks for what another tab has left

export type OutboxOptions = {
  tasks: { batch: (operations: Operation[], options: BatchOptions) => Promise<{ data: BatchResult[] }> };
  storage: OutboxStorage;
  /** Called with what is stored, after each change that this outbox has made. */
  onChange?: (state: OutboxState) => void;
  /** Called with what came of each operation that this outbox has sent. */
  onResult?: (operation: Operation, result: BatchResult) => void;
};

/** What a person does, kept until the API has it: it is sent in order, and takes effect once.
 *
 * One that the API refuses for good does not hold up the others; it is kept under `refused`.
 */
export class Outbox {
  readonly #tasks: OutboxOptions["tasks"];
  readonly #storage: OutboxStorage;
  readonly #onChange: NonNullable<OutboxOptions["onChange"]>;
  readonly #onResult: NonNullable<OutboxOptions["onResult"]>;
  readonly #added = new Alarm();

  constructor({ tasks, storage, onChange = () => {}, onResult = () => {} }: OutboxOptions) {
    this.#tasks = tasks;
    this.#storage = storage;
    this.#onChange = onChange;
    this.#onResult = onResult;
  }

  /** What waits, in order, and what was refused. */
  state(): Promise<OutboxState> {
    return this.#storage.read();
  }

  /** Resolves when they are stored, to what will be sent: each new task with a `uid`. */
  async add(...operations: Operation[]): Promise<Operation[]> {
    const added = operations.map(definite);
    await this.revise((unsent) => [...unsent, ...added]);
    return added;
  }

  /** Replaces what waits and is not being sent, such as two changes of a task by one. `sending`: what
   * is before it, and can be changed no more. */
  async revise(change: (unsent: Operation[], sending: Operation[]) => Operation[]): Promise<void> {
    await this.#update((state) => {
      const [size, { waiting }] = [state.batch?.size ?? 0, state];
      const sending = waiting.slice(0, size);
      const unsent = change(waiting.slice(size), sending).map(definite);
      return { ...state, waiting: [...sending, ...unsent] };
    });
    this.#added.ring();
  }

  /** The person has seen that it was refused. */
  async dismiss(id: string): Promise<void> {
    const others = (refused: Refusal[]) => refused.filter((refusal) => refusal.id !== id);
    await this.#update((state) => ({ ...state, refused: others(state.refused) }));
  }

  /** Sends what waits. What it throws has prevented that, and nothing is lost. */
  flush({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return exclusively(`task-api-outbox ${this.#storage.name}`, signal, async () => {
      for (let most = MAX_BATCH; ; ) {
        signal?.throwIfAborted();
        const sent = await this.#send(most, signal);
        if (sent === 0) return;
        if (sent < 0) most = Math.max(1, Math.floor(-sent / 2));
      }
    });
  }

  /** Sends what waits and what is added, until the signal is aborted. Failures are tried again. */
  async run({ signal, onError }: { signal?: AbortSignal; onError?: OnError } = {}): Promise<void> {
    const backoff = new Backoff();
    while (!signal?.aborted) {
      try {
        await this.flush({ signal });
        backoff.reset();
        await this.#added.wait(IDLE, signal);
      } catch (error) {
        if (signal?.aborted) return;
        if (!canRetry(error)) throw error;
        onError?.(error);
        await new Alarm().wait(backoff.after(error), signal);
      }
    }
  }

  /** Sends a batch. How many operations are done; negative if they have to be sent in parts. */
  async #send(most: number, signal: AbortSignal | undefined): Promise<number> {
    const { batch, waiting } = await this.#update(begun(crypto.randomUUID(), most));
    if (!batch) return 0;
    const { key, size } = batch;
    const operations = waiting.slice(0, size);
    let results: BatchResult[];
    try {
      const send = (signal: AbortSignal) => this.#tasks.batch(operations, { key, signal });
      results = (await inTime(signal, send)).data;
    } catch (error) {
      if (!isRefused(error)) throw error;
      const isAlone = size === 1 && error.kind !== "idempotency-key-reused";
      await this.#update(settled(key, isAlone ? [refusal(operations[0]!, error)] : undefined));
      return isAlone ? 1 : -size;
    }
    if (results.length !== size) throw new TypeError("Something else than the API has answered.");
    const refused = operations.flatMap((operation, at) => refusedBy(operation, results[at]!));
    await this.#update(settled(key, refused));
    operations.forEach((operation, at) => this.#onResult(operation, results[at]!));
    return size;
  }

  async #update(change: (state: OutboxState) => OutboxState): Promise<OutboxState> {
    const state = await this.#storage.update(change);
    this.#onChange(state);
    return state;
  }
}

/** The operation, such that to do it twice is to do it once. */
function definite(operation: Operation): Operation {
  if (operation.op === "create")
    return { ...operation, uid: operation.uid ?? crypto.randomUUID() };
  if (operation.op === "complete") return { ...operation, completed: operation.completed ?? true };
  return operation;
}

/** With a batch to send: the one that was begun, or else one of the first that wait. */
function begun(key: string, most: number): (state: OutboxState) => OutboxState {
  return (state) => {
    const size = Math.min(most, state.waiting.length);
    return state.batch || size === 0 ? state : { ...state, batch: { key, size } };
  };
}

/** Without the batch, unless another tab has settled it. `refused`: of its operations, which are
 * done; `undefined`: they wait on. */
function settled(key: string, refused?: Refusal[]): (state: OutboxState) => OutboxState {
  return (state) => {
    if (state.batch?.key !== key) return state;
    if (!refused) return { ...state, batch: undefined };
    const waiting = state.waiting.slice(state.batch.size);
    return { waiting, batch: undefined, refused: [...state.refused, ...refused] };
  };
}

/** Whether the API refuses a batch, whenever it is sent. */
function isRefused(error: unknown): error is ProblemError {
  if (!(error instanceof ProblemError) || error.kind === "about:blank") return false;
  return [400, 413, 422].includes(error.status);
}

function refusedBy(operation: Operation, { status, body }: BatchResult): Refusal[] {
  const isGone = status === 404 && operation.op === "delete"; // as was wanted
  if (status < 400 || isGone) return [];
  const problem = body && "type" in body ? body : {};
  return [refusal(operation, new ProblemError({ status }, problem))];
}

function refusal(operation: Operation, problem: ProblemError): Refusal {
  const { status, kind, title, detail, errors, current } = problem;
  return { id: crypto.randomUUID(), operation, status, kind, title, detail, errors, current };
}

/** Does it in one tab at a time. Without Web Locks in all of them: the key makes that harmless. */
async function exclusively(
  name: string,
  signal: AbortSignal | undefined,
  run: () => Promise<void>,
): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return run();
  await locks.request(name, signal ? { signal } : {}, run);
}
