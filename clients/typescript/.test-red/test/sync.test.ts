import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Changes, TaskClient } from "../src/index.js";
import { Person } from "./people.js";
import { Server } from "./server.js";

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());

async function all(changes: AsyncIterable<Changes>): Promise<Changes[]> {
  const found = [];
  for await (const one of changes) found.push(one);
  return found;
}

/** What a device of hers has in its cache. */
class Cache {
  readonly tasks = new Map<number, string>();
  token: string | undefined;
  resets = 0;

  async sync(tasks: TaskClient, limit?: number): Promise<this> {
    for await (const changes of tasks.sync(this.token, { limit })) this.apply(changes);
    return this;
  }

  apply({ changed, deleted, reset, token }: Changes): void {
    if (reset) this.tasks.clear();
    if (reset) this.resets++;
    for (const { id, title } of changed) this.tasks.set(id, title);
    for (const id of deleted) this.tasks.delete(id);
    this.token = token;
  }

  titles(): string[] {
    return [...this.tasks.values()].sort();
  }
}

test("alice's phone gets all of her tasks, and then what has changed and no more", async () => {
  const { tasks } = await Person.called("alice", server);
  const { data: made } = await tasks.createMany(["Milk", "Bread"].map((title) => ({ title })));
  const [listing, ...none] = await all(tasks.sync());
  assert.deepEqual(none, []);
  assert.deepEqual([listing?.changed, listing?.deleted], [made, []]);
  assert.deepEqual([listing?.reset, listing?.more], [true, false]);
  const { data: oat } = await tasks.update(made[0]!.id, { title: "Oat milk" });
  await tasks.delete(made[1]!.id);
  const [changes, ...others] = await all(tasks.sync(listing?.token));
  assert.deepEqual(others, []);
  assert.deepEqual([changes?.changed, changes?.deleted], [[oat], [made[1]?.id]]);
  assert.equal(changes?.reset, false, "she keeps what she has");
  const [nothing] = await all(tasks.sync(changes?.token));
  assert.deepEqual([nothing?.changed, nothing?.deleted], [[], []]);
});

test("alice's phone gets many changes in parts, and can stop after any of them", async () => {
  const { tasks } = await Person.called("alice", server);
  const titles = [1, 2, 3, 4, 5].map((n) => `Task ${n}`);
  await tasks.createMany(titles.map((title) => ({ title })));
  const phone = new Cache();
  for await (const changes of tasks.sync(undefined, { limit: 2 })) {
    phone.apply(changes);
    assert.equal(changes.more, true);
    break; // the battery is empty
  }
  assert.equal(phone.tasks.size, 2);
  await phone.sync(tasks, 2);
  assert.deepEqual([phone.titles(), phone.resets], [titles, 1]);
});

test("when alice's token is void, her phone is told to start afresh, and has all again", async () => {
  const alice = await Person.called("alice", server);
  await alice.tasks.createMany(["Milk", "Bread"].map((title) => ({ title })));
  const phone = await new Cache().sync(alice.tasks);
  await server.erase(alice.id);
  await alice.tasks.createMany(["Soap", "Tea"].map((title) => ({ title })));
  await phone.sync(alice.tasks, 1);
  assert.deepEqual(phone.titles(), ["Soap", "Tea"]);
  assert.equal(phone.resets, 2, "once at the beginning, once now");
  await alice.tasks.create({ title: "Milk" });
  await phone.sync(alice.tasks, 1);
  assert.deepEqual([phone.titles(), phone.resets], [["Milk", "Soap", "Tea"], 2]);
});

test("alice's phone whose token is void in the middle of a listing starts it again", async () => {
  const alice = await Person.called("alice", server);
  await alice.tasks.createMany(["Milk", "Bread", "Tea"].map((title) => ({ title })));
  const phone = new Cache();
  const reading = alice.tasks.sync(undefined, { limit: 1 });
  phone.apply((await reading.next()).value as Changes);
  await server.erase(alice.id);
  await alice.tasks.create({ title: "Soap" });
  await assert.rejects(all(reading), { status: 410 }, "it had just begun: no endless circle");
  await phone.sync(alice.tasks);
  assert.deepEqual(phone.titles(), ["Soap"]);
});

test("on a phone that was alice's, bob gets his tasks and nothing of hers", async () => {
  const alice = await Person.called("alice", server);
  const bob = await Person.called("bob", server);
  await alice.tasks.create({ title: "Milk" });
  await bob.tasks.create({ title: "Wine" });
  const phone = await new Cache().sync(alice.tasks);
  await phone.sync(bob.tasks);
  assert.deepEqual([phone.titles(), phone.resets], [["Wine"], 2]);
});

test("a stranger gets no changes, and is told so", async () => {
  const stranger = await Person.stranger(server);
  await assert.rejects(all(stranger.tasks.sync()), { status: 401 });
});

test("alice can stop waiting for changes", async () => {
  const { tasks } = await Person.called("alice", server);
  const signal = AbortSignal.abort();
  await assert.rejects(all(tasks.sync(undefined, { signal })), { name: "AbortError" });
});

test("alice's operations are done in order, each with a result of its own", async () => {
  const { tasks } = await Person.called("alice", server);
  const uid = crypto.randomUUID();
  const { data } = await tasks.batch([
    { op: "create", title: "Milk", uid },
    { op: "update", uid, title: "Oat milk" },
    { op: "update", uid, title: "" },
    { op: "complete", uid },
  ]);
  assert.deepEqual(data.map(({ status }) => status), [201, 200, 422, 200]);
  const [made] = (await tasks.list()).data;
  assert.deepEqual([made?.title, made?.completed, made?.uid], ["Oat milk", true, uid]);
  const atomic = await tasks.batch([{ op: "delete", uid }, { op: "delete", id: 1 }], { atomic: true });
  assert.deepEqual(atomic.data.map(({ status }) => status), [424, 404]);
});
