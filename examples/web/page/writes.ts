import { SignedOut } from "./session";

/** Requests that change something: those of one task go one after another. */
export class Writes {
  #inFlight = 0;
  readonly #turns = new Map<number, Promise<boolean>>();

  /** `changed`: something shown is different. `idle`: nothing is on its way any more. */
  constructor(
    readonly changed: () => void,
    readonly idle: () => void,
  ) {}

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  /** Resolves to whether it was done; `failed` is told why not. */
  async attempt(send: () => Promise<void>, failed: (error: unknown) => unknown): Promise<boolean> {
    this.#inFlight++;
    this.changed();
    try {
      await send();
      return true;
    } catch (error) {
      if (!(error instanceof SignedOut)) await failed(error);
      return false;
    } finally {
      this.#inFlight--;
      this.changed();
      if (!this.busy) this.idle();
    }
  }

  /** After what was asked for that task before, whose result the next one needs. */
  inTurn(key: number, act: () => Promise<boolean>): Promise<boolean> {
    const before = this.#turns.get(key);
    const mine = before ? before.then(act) : act();
    this.#turns.set(key, mine);
    void mine.finally(() => {
      if (this.#turns.get(key) === mine) this.#turns.delete(key);
    });
    return mine;
  }

  /** Resolves when all that has been asked for so far is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#turns.values());
  }
}
