import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { QueryClient, QueryObserver } from "@tanstack/query-core";
import { followTasks, type TaskData, taskQuery } from "../src/tanstack-query.js";
import { Person } from "./people.js";
import { Server } from "./server.js";

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());

const titles = (data: TaskData | undefined) => data?.tasks.map(({ title }) => title).join(" ");

test("alice's query asks for all tasks once, and then for what has changed", async (t) => {
  const alice = await Person.called("alice", server);
  const client = new QueryClient();
  t.after(() => client.clear());
  const query = taskQuery(alice.tasks);
  const { data: bread } = await alice.tasks.create({ title: "Bread" });
  const { data: milk } = await alice.tasks.create({ title: "Milk" });
  assert.equal(titles(await client.fetchQuery(query)), "Milk Bread");
  await alice.tasks.update(bread.id, { title: "Rye" });
  await alice.tasks.delete(milk.id);
  await alice.tasks.create({ title: "Tea" });
  assert.equal(titles(await client.fetchQuery(query)), "Milk Bread", "nobody has said so");
  assert.equal(titles(await client.fetchQuery({ ...query, staleTime: 0 })), "Tea Rye");
  const asked = alice.sent.filter(({ url }) => url.includes("/changes")).map(({ url }) => new URL(url));
  assert.deepEqual(asked.map(({ searchParams }) => searchParams.has("since")), [false, true]);
});

test("what alice's phone does is in the cache of her laptop by itself", async (t) => {
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server);
  const client = new QueryClient();
  const controller = new AbortController();
  t.after(() => (controller.abort(), client.clear()));
  const query = taskQuery(laptop.tasks, ["alice", "tasks"]);
  await phone.tasks.create({ title: "Milk" });
  await client.fetchQuery(query);
  const seen: (string | undefined)[] = [];
  t.after(new QueryObserver(client, query).subscribe(({ data }) => seen.push(titles(data))));
  const { signal } = controller;
  const following = followTasks(client, laptop.tasks, { queryKey: query.queryKey, signal });
  await phone.tasks.create({ title: "Bread" });
  while (seen.at(-1) !== "Bread Milk") await setTimeout(20);
  await server.erase(phone.id);
  await phone.tasks.create({ title: "Tea" });
  while (seen.at(-1) !== "Tea") await setTimeout(20);
  controller.abort();
  await following;
});
