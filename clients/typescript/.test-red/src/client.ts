import createClient from "openapi-fetch";
import type { BatchOptions, BatchResult, Operation } from "./batch.js";
import { ProblemError } from "./problem.js";
import type { components, operations, paths } from "./schema.js";
import { live, type LiveOptions, sync, type SyncOptions } from "./sync.js";
import { authorized, type Fetch, type TokenProvider } from "./token.js";
import { watch, type WatchOptions } from "./watch.js";

export type Task = components["schemas"]["Task"];
export type NewTask = components["schemas"]["TaskCreate"];
export type TaskChange = components["schemas"]["TaskUpdate"];
export type Priority = NonNullable<Task["priority"]>;
export type Sort = components["schemas"]["Sort"];
export type TagCount = components["schemas"]["TagCount"];

type Parameters = NonNullable<operations["listTasks"]["parameters"]["query"]>;
/** Of `priority` and `any_tag`, any one has to match; of `tags`, all. */
export type TaskQuery = Omit<Parameters, "priority" | "tags" | "any_tag"> & {
  priority?: Priority | readonly Priority[];
  tags?: string | readonly string[];
  any_tag?: string | readonly string[];
};

export type Options = { signal?: AbortSignal | undefined };
/** `key`: see `idempotencyKey`. */
export type OnceOptions = Options & { key?: string | undefined };
/** `ifMatch`: the task that was read, or its ETag; when it has changed by now, a 412 is thrown. */
export type ChangeOptions = Options & { ifMatch?: Versioned | string | undefined };
export type Versioned = Pick<Task, "version">;
/** `count`: tell the `total` as well. */
export type ListOptions = Options & { count?: boolean | undefined };

export type Answer<T> = { data: T; etag: string | undefined; response: Response };
export type Links = { first?: string; next?: string; prev?: string };
export type Page = Answer<Task[]> & { links: Links; total: number | undefined };

export type TaskClient = ReturnType<typeof createTaskClient>;
export type TaskClientOptions = { baseUrl: string; token: TokenProvider; fetch?: Fetch };

/** Make one for each action of a person, and send it with every try: it is done once. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

/** The ETag of a task: strong, whatever a proxy that compresses makes of the header. */
export function etagOf({ version }: Versioned): string {
  return `"${version}"`;
}

/** A client of the task API. Every failure is thrown, as a `ProblemError`. */
export function createTaskClient({ baseUrl, token, fetch = globalThis.fetch }: TaskClientOptions) {
  const send = authorized(token, (request) => fetch(request));
  const api = createClient<paths>({
    baseUrl,
    async fetch(request) {
      const response = await send(request);
      if (response.ok || response.status === 304) return response;
      throw await ProblemError.from(response);
    },
  });

  async function open(lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": lastEventId };
    const init = { headers, signal, cache: "no-store", parseAs: "stream" } as const;
    return (await api.GET("/api/tasks/events", init)).response;
  }

  async function list(query: TaskQuery = {}, options: ListOptions = {}): Promise<Page> {
    const params = { query: parameters(query) };
    return page(await answer(api.GET("/api/tasks", { params, ...listInit(options) })));
  }

  /** The page behind a link of another one. */
  async function follow(link: string, options: ListOptions = {}): Promise<Page> {
    const querySerializer = () => new URL(link, "http://localhost").search;
    return page(await answer(api.GET("/api/tasks", { querySerializer, ...listInit(options) })));
  }

  async function* pages(query: TaskQuery = {}, options: ListOptions = {}): AsyncGenerator<Page> {
    let page = await list(query, options);
    yield page;
    while (page.links.next !== undefined) yield (page = await follow(page.links.next, options));
  }

  const watching = (options: WatchOptions = {}) => watch(open, options);
  const syncing = (token?: string, options: SyncOptions = {}) => sync(api, token, options);

  return {
    api,
    list,
    follow,
    pages,

    /** What has changed since the token of a change; without one, all tasks. */
    sync: syncing,

    /** When to ask for changes. */
    watch: watching,

    /** What has changed since the token, and then what changes, until the signal is aborted. */
    live: (token?: string, options: LiveOptions = {}) => live(syncing, watching, token, options),

    /** Does several things in order; what came of each. One that fails stops no other, unless
     * `atomic`. */
    async batch(
      operations: Operation[],
      { atomic = false, ...options }: BatchOptions = {},
    ): Promise<Answer<BatchResult[]>> {
      const body = { operations, atomic };
      const sent = await answer(api.POST("/api/tasks/batch", { body, ...init(once(options)) }));
      return { ...sent, data: sent.data.results };
    },

    get(id: number, options: Options = {}): Promise<Answer<Task>> {
      return task(api.GET("/api/tasks/{task_id}", { ...one(id), ...init(options) }));
    },

    create(body: NewTask, options: OnceOptions = {}): Promise<Answer<Task>> {
      return task(api.POST("/api/tasks", { body, ...init(once(options)) }));
    },

    /** All of them or none. */
    createMany(body: NewTask[], options: OnceOptions = {}): Promise<Answer<Task[]>> {
      return answer(api.POST("/api/tasks/bulk", { body, ...init(once(options)) }));
    },

    /** A member left out keeps its value; `null` clears one that can be `null`, and the tags. The
     * task that was read may be given back whole: `update(id, { ...task, title })` throws a 412 if it
     * has changed. */
    update(id: number, body: TaskChange, options: ChangeOptions = {}): Promise<Answer<Task>> {
      return task(api.PATCH("/api/tasks/{task_id}", { ...one(id), body, ...init(options) }));
    },

    /** Toggles when `completed` is left out. `next_id` is the next one of a task that repeats. */
    complete(
      id: number,
      { completed, ...options }: OnceOptions & ChangeOptions & { completed?: boolean | undefined } = {},
    ): Promise<Answer<Task>> {
      const body = completed === undefined ? {} : { completed };
      const rest = { ...one(id), body, ...init(once(options)) };
      return task(api.PATCH("/api/tasks/{task_id}/complete", rest));
    },

    async delete(id: number, options: ChangeOptions = {}): Promise<void> {
      await api.DELETE("/api/tasks/{task_id}", { ...one(id), ...init(options) });
    },

    deleteCompleted(options: Options = {}): Promise<Answer<{ deleted: number }>> {
      const params = { query: { completed: true as const } };
      return answer(api.DELETE("/api/tasks", { params, ...init(options) }));
    },

    /** The tags of all tasks, each with the number of open ones. */
    tags({ signal }: Options = {}): Promise<Answer<TagCount[]>> {
      return answer(api.GET("/api/tags", { signal: signal ?? null }));
    },
  };
}

function parameters({ priority, tags, any_tag, ...rest }: TaskQuery): Parameters {
  const lists = Object.entries({ priority, tags, any_tag }).filter(([, values]) => values?.length);
  return { ...rest, ...Object.fromEntries(lists.map(([name, values]) => [name, String(values)])) };
}

function one(task_id: number) {
  return { params: { path: { task_id } } };
}

function once<T extends OnceOptions>(options: T) {
  return { ...options, key: options.key ?? idempotencyKey() };
}

function init({ signal, key, ifMatch }: OnceOptions & ChangeOptions) {
  const tag = typeof ifMatch === "object" ? etagOf(ifMatch) : ifMatch;
  return { signal: signal ?? null, headers: { "Idempotency-Key": key, "If-Match": tag } };
}

function listInit({ signal, count }: ListOptions) {
  return { signal: signal ?? null, headers: { Prefer: count ? "count=exact" : undefined } };
}

async function answer<T>(sent: Promise<{ data?: T; response: Response }>): Promise<Answer<T>> {
  const { data, response } = await sent;
  if (data === undefined) throw new Error("The API has answered without a body.");
  return { data, etag: response.headers.get("ETag") ?? undefined, response };
}

async function task(sent: Promise<{ data?: Task; response: Response }>): Promise<Answer<Task>> {
  const { data, response } = await answer(sent);
  return { data, etag: etagOf(data), response };
}

function page(tasks: Answer<Task[]>): Page {
  const { headers } = tasks.response;
  const total = headers.get("X-Total-Count");
  const links = (headers.get("Link") ?? "").matchAll(/<([^>]*)>[^,]*;\s*rel="?(\w+)/g);
  return {
    ...tasks,
    links: Object.fromEntries([...links].map(([, target = "", rel = ""]) => [rel, target])),
    total: total === null ? undefined : Number(total),
  };
}
