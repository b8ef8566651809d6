import { EVERYTHING, formatQuery, parseQuery, type Query } from "./query";
import type { Person } from "./session";

/** The query in the page's URL, and in the browser's history of it. */
export class Address {
  readonly #person: Person;
  #isRefining = false;

  /** `changed` is told the query when somebody goes back or forward. */
  constructor(person: Person, changed: (query: Query) => void) {
    this.#person = person;
    window.addEventListener("popstate", () => {
      this.#isRefining = false;
      changed(this.read());
    });
  }

  read(): Query {
    const of = (history.state as { person?: string } | null)?.person ?? this.#person.id;
    const query = of === this.#person.id ? parseQuery(location.hash) : EVERYTHING;
    this.#write("replaceState", query); // what somebody before has looked for is not shown
    return query;
  }

  /** A step in the history; what refines the last one, such as another letter, takes its place. */
  write(query: Query, isRefining = false): void {
    if (formatQuery(query) !== location.hash)
      this.#write(isRefining && this.#isRefining ? "replaceState" : "pushState", query);
    this.#isRefining = isRefining;
  }

  #write(method: "pushState" | "replaceState", query: Query): void {
    const state = { person: this.#person.id };
    history[method](state, "", location.pathname + location.search + formatQuery(query));
  }
}

/** Nobody is signed in: the URL says nothing of what they looked for. */
export function clearAddress(): void {
  history.replaceState(null, "", location.pathname + location.search);
}
