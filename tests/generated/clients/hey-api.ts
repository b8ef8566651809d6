import { client } from "./made/hey-api/client.gen";
import { createTask, getTask, listTasks } from "./made/hey-api/sdk.gen";
import { API, KEY, TOKEN, next, says } from "./said";

client.setConfig({ baseUrl: API, auth: TOKEN });

const created = await createTask({
  body: { title: "Buy milk" },
  headers: { "Idempotency-Key": KEY },
  throwOnError: true,
});
const listed = await listTasks({
  query: { completed: false, limit: 1, sort: "-created_at" },
  headers: { Prefer: "count=exact" },
  throwOnError: true,
});
const missing = await getTask({ path: { task_id: created.data.id + 1_000_000 } });

says({
  created: created.data.title,
  listed: listed.data.map((task) => task.title),
  next: next(listed.response.headers),
  missing: missing.error?.type ?? "",
});

/** What the types do not allow; nobody calls it. */
export const wrong = () => [
  // @ts-expect-error
  createTask({ body: { title: "Buy milk", colour: "red" } }),
  // @ts-expect-error
  createTask({ body: {} }),
  // @ts-expect-error
  listTasks({ query: { sort: "colour" } }),
];
