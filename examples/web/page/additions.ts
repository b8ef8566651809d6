import type { Operation, Refusal } from "task-api-client";
import { ProblemError, type Task } from "./api";
import { complaint, sentence } from "./failure";
import { EMPTY, type Members } from "./members";
import type { Item, Tasks } from "./tasks";
import type { Unsent } from "./unsent";
import type { Writes } from "./writes";

/** What a new task is to be: a title, and what else is said about it. */
export type NewMembers = Partial<Members> & Pick<Members, "title">;
/** What did not become a task, and why. */
export type Failure = { members: NewMembers; why: string; isEdited: boolean };
export type Addition = { item: Item; sent: Promise<Failure | undefined> };

type Creation = Extract<Operation, { op: "create" }>;

function isCreation(operation: Operation): operation is Creation {
  return operation.op === "create";
}

/** New tasks on their way to the API, in the order in which they were typed. */
export class Additions {
  /** What was not added, and is in no field either. */
  failed: Failure[] = [];

  /** The API has it now. */
  onAdded: (item: Item) => void = () => undefined;
  readonly #tasks: Tasks;
  readonly #writes: Writes;
  readonly #unsent: Unsent;
  readonly #userId: string;
  readonly #waiting = new Set<() => void>();
  #sending: { item: Item; operation: Creation }[] = [];
  #previous: Promise<unknown> = Promise.resolve();

  constructor(tasks: Tasks, writes: Writes, unsent: Unsent, userId: string) {
    this.#tasks = tasks;
    this.#writes = writes;
    this.#unsent = unsent;
    this.#userId = userId;
  }

  /** What is to be sent, in order: what waits for the API to be reached first. */
  get operations(): Creation[] {
    return this.#sending.map(({ operation }) => operation);
  }

  get pending(): Item[] {
    const sending = this.#sending.map(({ item }) => item);
    const known = new Set([...sending, ...(this.#tasks.items ?? [])].map(({ uid }) => uid));
    const waiting = this.#unsent.waiting.filter(isCreation).filter(({ uid }) => !known.has(uid!));
    return [...waiting.map((each) => this.#draft(each)), ...sending];
  }

  find(key: number): Item | undefined {
    return this.pending.find((item) => item.key === key);
  }

  /**
   * Pending at once; `sent` resolves when the API has it, when it waits until the API can be
   * reached, or to why not. Because of its uid, what is sent again is added once.
   */
  add(members: NewMembers): Addition {
    const uid = crypto.randomUUID();
    const operation: Creation = { op: "create", ...members, uid };
    const item = this.#draft(operation);
    this.#sending = [...this.#sending, { item, operation }];
    let why: string | undefined;
    const turn = this.#turn();
    const sending = this.#writes.inTurn(item.key, async () => {
      await turn;
      return this.#writes.attempt(
        () =>
          this.#unsent.orLater(operation, async () => {
            const { data } = await this.#tasks.client.create({ ...members, uid });
            this.#remove(item);
            this.onAdded(this.#tasks.withKey(data));
          }),
        (error) => (why = complaint(error) ?? sentence(error)),
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

  doneLater(_: Operation, task: Task | undefined): void {
    if (task) this.onAdded(this.#tasks.withKey(task));
  }

  /** What waited is refused. One that was deleted elsewhere meanwhile is as somebody wants it. */
  refusedLater({ operation, ...problem }: Refusal): void {
    if (problem.kind === "was-deleted") return;
    const { op: _, uid: __, ...members } = operation as Creation;
    const error = new ProblemError(problem, { ...problem, errors: [...problem.errors] });
    this.keep({ members: members as NewMembers, why: complaint(error) ?? sentence(error), isEdited: true });
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

  #draft({ op: _, ...members }: Creation): Item {
    const now = new Date().toISOString();
    const uid = members.uid!;
    const key = this.#tasks.keyOf(uid);
    return {
      key,
      id: key,
      user_id: this.#userId,
      ...EMPTY,
      ...(members as Partial<Task> & Creation),
      completed: false,
      completed_at: null,
      next_id: null,
      uid,
      created_at: now,
      updated_at: now,
      version: 0,
    };
  }

  #remove(item: Item): void {
    this.#sending = this.#sending.filter((each) => each.item !== item);
  }
}
