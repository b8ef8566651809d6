import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ProblemError, type Wake } from "../src/index.js";
import { Person } from "./people.js";
import { Server } from "./server.js";
import { Tunnel } from "./tunnel.js";

const SOON = 8_000; // milliseconds

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());

/** What comes next, which has to be soon. */
async function next<T>(items: AsyncIterator<T, void>): Promise<T> {
  const late = setTimeout(SOON, undefined, { ref: false }).then(() => assert.fail("nothing comes"));
  const { done, value } = await Promise.race([items.next(), late]);
  assert.ok(!done && value !== undefined, "it has ended");
  return value;
}

async function tunnel(t: TestContext): Promise<Tunnel> {
  const tunnel = await Tunnel.to(server.baseUrl);
  t.after(() => tunnel.shut().catch(() => {}));
  return tunnel;
}

/** A signal that is aborted when the test is over. */
function until(t: TestContext): AbortSignal {
  const controller = new AbortController();
  t.after(() => controller.abort());
  return controller.signal;
}

test("alice's laptop is woken when her phone has changed something, and bob's is not", async (t) => {
  const signal = until(t);
  const [phone, bob] = await Promise.all([
    Person.called("alice", server),
    Person.called("bob", server),
  ]);
  const laptop = await phone.device(server);
  const hers = laptop.tasks.watch({ signal });
  const his = bob.tasks.watch({ signal });
  assert.deepEqual(await next(hers), { token: undefined }, "there may be changes already");
  await next(his);
  let bobs: Wake | undefined;
  void his.next().then(({ value }) => (bobs = value ?? undefined));
  await phone.tasks.create({ title: "Milk" });
  const { token } = await next(hers);
  assert.equal(typeof token, "string");
  for await (const changes of laptop.tasks.sync(token)) assert.deepEqual(changes.changed, []);
  assert.equal(bobs, undefined);
  const { headers, url } = laptop.sent[0]!;
  assert.match(headers.get("Authorization") ?? "", /^Bearer /);
  assert.equal(new URL(url).search, "", "no token in an address");
});

test("alice's laptop that was away is told at once that it is behind", async (t) => {
  const { tasks } = await Person.called("alice", server);
  await tasks.create({ title: "Milk" });
  let since: string | undefined;
  for await (const { token } of tasks.sync()) since = token;
  const { data } = await tasks.create({ title: "Bread" });
  const { token } = await next(tasks.watch({ since, signal: until(t) }));
  assert.notEqual(token, undefined, "by the stream itself");
  for await (const { changed } of tasks.sync(since)) assert.deepEqual(changed, [data]);
});

test("a stream that breaks is opened again after the last event, and alice misses nothing", async (t) => {
  const way = await tunnel(t);
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server, way.baseUrl);
  const errors: unknown[] = [];
  const wakes = laptop.tasks.watch({ signal: until(t), onError: (error) => errors.push(error) });
  await next(wakes);
  await phone.tasks.create({ title: "Milk" });
  const { token } = await next(wakes);
  await way.shut();
  await phone.tasks.create({ title: "Bread" });
  while (errors.length === 0) await setTimeout(50); // it tries in vain
  await way.reopen();
  const later = await next(wakes);
  assert.notEqual(later.token, token);
  assert.equal(laptop.sent.at(-1)?.headers.get("Last-Event-ID"), token);
});

test("alice's old token is refreshed for her stream", async (t) => {
  const alice = await Person.withOldToken("alice", server);
  const wakes = alice.tasks.watch({ signal: until(t) });
  await next(wakes);
  assert.deepEqual(alice.asked, [false, true]);
  await alice.tasks.create({ title: "Milk" });
  await next(wakes);
});

test("a stranger gets no stream, and is told so", async () => {
  const stranger = await Person.stranger(server);
  await assert.rejects(stranger.tasks.watch().next(), { status: 401 });
});

test("while no stream can be had, alice's laptop asks from time to time", async (t) => {
  const alice = await Person.called("alice", server);
  const devices = await Promise.all(Array.from({ length: 10 }, () => alice.device(server)));
  for (const device of devices) await next(device.tasks.watch({ signal: until(t) }));
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const one = await alice.device(server);
  const live = one.tasks.live(undefined, { signal: until(t), onError, pollInterval: 300 });
  assert.deepEqual((await next(live)).changed, []);
  const { data } = await alice.tasks.create({ title: "Milk" });
  let { changed } = await next(live);
  while (changed.length === 0) ({ changed } = await next(live));
  assert.deepEqual(changed, [data]);
  assert.ok(errors.some((error) => error instanceof ProblemError && error.status === 429));
});

test("a foreign token wakes alice's laptop, which then hears of it", async (t) => {
  const [alice, bob] = [await Person.called("alice", server), await Person.called("bob", server)];
  await bob.tasks.create({ title: "Wine" });
  await alice.tasks.create({ title: "Milk" });
  let since: string | undefined;
  for await (const { token } of bob.tasks.sync()) since = token;
  assert.deepEqual(await next(alice.tasks.watch({ since, signal: until(t) })), { token: undefined });
});

test("alice's laptop shows what her phone does, and begins and goes on after a tunnel", async (t) => {
  const way = await tunnel(t);
  const phone = await Person.called("alice", server);
  const { data: milk } = await phone.tasks.create({ title: "Milk" });
  const laptop = await phone.device(server, way.baseUrl);
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  await way.shut();
  const live = laptop.tasks.live(undefined, { signal: until(t), onError });
  const listing = next(live);
  while (errors.length === 0) await setTimeout(20);
  await way.reopen();
  const first = await listing;
  assert.deepEqual([first.changed, first.reset], [[milk], true]);
  const { data: bread } = await phone.tasks.create({ title: "Bread" });
  assert.deepEqual((await next(live)).changed, [bread]);
  await way.shut();
  await phone.tasks.delete(milk.id);
  const { data: tea } = await phone.tasks.create({ title: "Tea" });
  const seen = next(live);
  await setTimeout(500);
  await way.reopen();
  const { changed, deleted, reset } = await seen;
  assert.deepEqual([changed, deleted, reset], [[tea], [milk.id], false]);
});

test("alice's laptop hears nothing twice: what it has asked for does not wake it", async (t) => {
  const { tasks, sent } = await Person.called("alice", server);
  const live = tasks.live(undefined, { signal: until(t) });
  await next(live);
  for (const title of ["Milk", "Bread", "Tea"]) {
    await tasks.create({ title });
    assert.deepEqual((await next(live)).changed.map((task) => task.title), [title]);
  }
  const asked = sent.filter(({ url }) => new URL(url).pathname === "/api/tasks/changes").length;
  assert.ok(asked <= 5, `${asked}: at most one for each, and those at the beginning`);
});

test("alice's laptop stops when she has enough, and gives the connection back", async (t) => {
  const way = await tunnel(t);
  const { tasks } = await Person.called("alice", server, way.baseUrl);
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  for await (const _ of tasks.watch({ signal })) if (++count === 1) controller.abort();
  assert.equal(count, 1);
  for await (const _ of tasks.live(undefined, { signal })) assert.fail("it was aborted before");
  for await (const _ of tasks.watch()) break;
  while (way.open > 0) await setTimeout(20);
});
