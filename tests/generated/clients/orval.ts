import { createTask, getTask, listTasks } from "./made/orval";
import { KEY, next, says } from "./said";

const created = await createTask({ title: "Buy milk" }, { "Idempotency-Key": KEY });
const listed = await listTasks(
  { completed: false, limit: 1, sort: "-created_at" },
  { Prefer: "count=exact" },
);
if (created.status !== 201 || listed.status !== 200) throw new Error("It was refused.");
const missing = await getTask(created.data.id + 1_000_000);

says({
  created: created.data.title,
  listed: listed.data.map((task) => task.title),
  next: next(listed.headers),
  missing: missing.status === 404 ? missing.data.type : "",
});

/** What the types do not allow; nobody calls it. */
export const wrong = () => [
  // @ts-expect-error
  createTask({ title: "Buy milk", colour: "red" }),
  // @ts-expect-error
  createTask({}),
  // @ts-expect-error
  listTasks({ sort: "colour" }),
];
