import type { FetchQueryOptions, QueryClient, QueryKey } from "@tanstack/query-core";
import type { Task, TaskClient } from "./client.js";
import type { Changes } from "./sync.js";
import type { WatchOptions } from "./watch.js";

/** The data of the query: all tasks, newest first, and how far they are known. */
export type TaskData = { tasks: Task[]; token: string | undefined };

const NOTHING: TaskData = { tasks: [], token: undefined };

/** The data after these changes. */
export function applied(
  data: TaskData | undefined,
  { changed, deleted, reset, token }: Changes,
): TaskData {
  const tasks = new Map((reset ? [] : (data?.tasks ?? [])).map((task) => [task.id, task]));
  for (const task of changed) tasks.set(task.id, task);
  for (const id of deleted) tasks.delete(id);
  return { tasks: [...tasks.values()].sort((one, other) => other.id - one.id), token };
}

/** A query of all tasks. Each time it is fetched, it asks only for what has changed since. */
export function taskQuery(tasks: Pick<TaskClient, "sync">, queryKey: QueryKey = ["tasks"]) {
  return {
    queryKey,
    staleTime: Infinity, // `followTasks` says when
    async queryFn({ client, signal }): Promise<TaskData> {
      let data = client.getQueryData<TaskData>(queryKey) ?? NOTHING;
      for await (const changes of tasks.sync(data.token, { signal })) data = applied(data, changes);
      return data;
    },
  } satisfies FetchQueryOptions<TaskData>;
}

/** Fetches the query whenever there are changes, until the signal is aborted. */
export async function followTasks(
  client: QueryClient,
  tasks: Pick<TaskClient, "watch">,
  { queryKey = ["tasks"], ...options }: WatchOptions & { queryKey?: QueryKey } = {},
): Promise<void> {
  const known = () => client.getQueryData<TaskData>(queryKey)?.token;
  for await (const { token } of tasks.watch({ since: known(), ...options })) {
    if (token === undefined || token !== known()) await client.invalidateQueries({ queryKey });
  }
}
