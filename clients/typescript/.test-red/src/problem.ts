import type { components } from "./schema.js";

type Problem = components["schemas"]["Problem"];
export type InputError = components["schemas"]["InputError"];

/** What kind of failure; `about:blank` when something else than the API has answered. A later version
 * of the API may have others. */
export type ProblemKind = KindOf<components["schemas"]["ProblemType"]> | "about:blank" | (string & {});
type KindOf<Type> = Type extends `${typeof URN}${infer Kind}` ? Kind : never;

const URN = "urn:task-api:problem:";
const MEDIA_TYPE = "application/problem+json";

/** The API has answered, with a failure (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly status: number;
  readonly kind: ProblemKind;
  readonly title: string;
  readonly detail: string;
  /** To be quoted to whoever runs the API. */
  readonly requestId: string | undefined;
  readonly errors: readonly InputError[];
  /** After 412: the task as it is now, and its version. */
  readonly current: Problem["current"] | undefined;
  readonly etag: string | undefined;
  /** Seconds to wait before another try. */
  readonly retryAfter: number | undefined;

  constructor(
    { status, statusText, headers }: Pick<Response, "status"> & Partial<Response>,
    problem: Partial<Problem> = {},
  ) {
    const title = problem.title ?? (statusText || `HTTP ${status}`);
    super(problem.detail ?? title);
    this.status = status;
    this.kind = (problem.type ?? "about:blank").replace(URN, "");
    this.title = title;
    this.detail = this.message;
    this.requestId = problem.request_id ?? headers?.get("X-Request-Id") ?? undefined;
    this.errors = problem.errors ?? [];
    this.current = problem.current;
    this.etag = problem.current ? `"${problem.current.version}"` : undefined;
    this.retryAfter = Number(headers?.get("Retry-After")) || undefined;
  }

  /** What a proxy or a broken connection leaves of a problem still makes an error. */
  static async from(response: Response): Promise<ProblemError> {
    const ours = response.headers.get("Content-Type")?.startsWith(MEDIA_TYPE);
    const problem: Partial<Problem> | null = ours ? await response.json().catch(() => null) : null;
    return new ProblemError(response, problem ?? {});
  }
}
