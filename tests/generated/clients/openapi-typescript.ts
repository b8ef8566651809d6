import createClient from "openapi-fetch";
import type { paths } from "./made/openapi-typescript";
import { API, KEY, TOKEN, next, says } from "./said";

const api = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${TOKEN}` } });

const created = await api.POST("/api/tasks", {
  body: { title: "Buy milk" },
  params: { header: { "Idempotency-Key": KEY } },
});
const listed = await api.GET("/api/tasks", {
  params: {
    query: { completed: false, limit: 1, sort: "-created_at" },
    header: { Prefer: "count=exact" },
  },
});
const missing = await api.GET("/api/tasks/{task_id}", {
  params: { path: { task_id: (created.data?.id ?? 0) + 1_000_000 } },
});

says({
  created: created.data?.title ?? "",
  listed: (listed.data ?? []).map((task) => task.title),
  next: next(listed.response.headers),
  missing: missing.error?.type ?? "",
});

/** What the types do not allow; nobody calls it. */
export const wrong = () => [
  // @ts-expect-error
  api.POST("/api/tasks", { body: {} }),
  // @ts-expect-error
  api.GET("/api/tasks", { params: { query: { sort: "colour" } } }),
];
