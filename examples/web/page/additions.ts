import { idempotencyKey } from "./api";
import { complaint, sentence } from "./failure";
import { EMPTY, type Members } from "./members";
import type { Item, Tasks } from "./tasks";
import type { Writes } from "./writes";

/** What a new task is to be: a title, and what else is said about it. */
export type NewMembers = Partial<Members> & Pick<Members, "title">;
/** What did not become a task, and why. */
export type Failure = { members: NewMembers; why: string; isEdited: boolean };
export type Addition = { item: Item; sent: Promise<Failure | undefined> };

/** New tasks on their way to the API, in the order in which they were typed. */
export class Additions {
  pending: Item[] = [];
  /** What was not added, and is in no field either. */
  failed: Failure[] = [];

  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #userId: string;
  readonly #retryKeys = new Map<string, string>(); // the Idempotency-Key of what has failed
  readonly #waiting = new Set<() => void>();
  #count = 0;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(tasks: Tasks, writes: Writes, userId: string) {
    this.#tasks = tasks;
    this.#writes = writes;
    this.#userId = userId;
  }

  find(key: number): Item | undefined {
    return this.pending.find((item) => item.key === key);
  }

  /**
   * Pending at once; `sent` resolves when the API has it, or to why not. What has failed is sent
   * with the same Idempotency-Key again: should the first have arrived, it is added once.
   */
  add(members: NewMembers, created: (item: Item) => void): Addition {
    const item = this.#draft(members);
    const body = JSON.stringify(members);
    const idempotency = this.#retryKeys.get(body) ?? idempotencyKey();
    this.#retryKeys.delete(body);
    this.pending = [...this.pending, item];
    let why: string | undefined;
    const turn = this.#turn();
    const sending = this.#writes.inTurn(item.key, async () => {
      await turn;
      return this.#writes.attempt(
        async () => {
          const { data } = await this.#tasks.client.create(members, { key: idempotency });
          this.#remove(item);
          created(this.#tasks.name(item.key, data));
        },
        (error) => {
          why = complaint(error) ?? sentence(error);
          this.#retryKeys.set(body, idempotency);
        },
      );
    });
    this.#previous = sending;
    const sent = sending.then((done) => {
      this.#remove(item);
      return done ? undefined : { members, why: why ?? "You are signed out.", isEdited: false };
    });
    this.#writes.changed();
    return { item, sent };
  }

  /** Words that fit in no field, until they are tried again or given up. */
  keep(failure: Failure): void {
    this.failed = [...this.failed, failure];
    this.#writes.changed();
  }

  forget(failure: Failure): void {
    this.failed = this.failed.filter((each) => each !== failure);
    this.#writes.changed();
  }

  /** What waits for one before it is sent now: the page is being left. */
  hurry(): void {
    for (const go of this.#waiting) go();
  }

  /** After the one before, so that the newest is the last one created. */
  #turn(): Promise<void> {
    const before = this.#previous;
    return new Promise((resolve) => {
      const go = () => {
        this.#waiting.delete(go);
        resolve();
      };
      this.#waiting.add(go);
      void before.finally(go);
    });
  }

  #draft(members: NewMembers): Item {
    const now = new Date().toISOString();
    const key = --this.#count; // ids are positive
    return {
      key,
      id: key,
      user_id: this.#userId,
      ...EMPTY,
      ...members,
      completed: false,
      completed_at: null,
      next_id: null,
      uid: null,
      created_at: now,
      updated_at: now,
      version: 0,
    };
  }

  #remove(item: Item): void {
    this.pending = this.pending.filter((each) => each !== item);
  }
}
