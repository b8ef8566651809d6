import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  type BatchResult,
  memoryStorage,
  type Operation,
  Outbox,
  type OutboxStorage,
  ProblemError,
} from "../src/index.js";
import { Person } from "./people.js";
import { Server } from "./server.js";
import { Tunnel } from "./tunnel.js";

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());

async function tunnel(t: TestContext): Promise<Tunnel> {
  const tunnel = await Tunnel.to(server.baseUrl);
  t.after(() => tunnel.shut().catch(() => {}));
  return tunnel;
}

async function titles({ tasks }: Person): Promise<string[]> {
  const found = [];
  for await (const { data } of tasks.pages({ sort: "created_at" })) found.push(...data);
  return found.map(({ title }) => title);
}

/** The batches that were sent. */
async function batches({ sent }: Person): Promise<{ key: string | null; operations: Operation[] }[]> {
  const posts = sent.filter(({ url }) => url.endsWith("/batch"));
  return Promise.all(
    posts.map(async (request) => ({
      key: request.headers.get("Idempotency-Key"),
      operations: ((await request.clone().json()) as { operations: Operation[] }).operations,
    })),
  );
}

const create = (title: string) => ({ op: "create", title }) as const;

test("what alice has not sent yet can be revised, and what is on its way cannot", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const there = await alice.device(server);
  const outbox = new Outbox({ tasks: alice.tasks, storage: memoryStorage() });
  await way.shut();
  await outbox.add(create("Milk"));
  await assert.rejects(outbox.flush(), TypeError); // nobody knows whether it has arrived
  await outbox.add(create("Bread"), create("Tea"));
  await outbox.revise(([bread], sending) => {
    assert.deepEqual(sending.map((each) => "title" in each && each.title), ["Milk"]);
    return [{ ...bread!, title: "Rye bread" } as Operation];
  });
  await way.reopen();
  await outbox.flush();
  assert.deepEqual(await titles(there), ["Milk", "Rye bread"]);
});

test("what alice does offline is kept, and sent in order when she is back", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const there = await alice.device(server);
  const { data: rent } = await alice.tasks.create({ title: "Rent" });
  const outbox = new Outbox({ tasks: alice.tasks, storage: memoryStorage() });
  await way.shut();
  const [milk] = await outbox.add(create("Milk"), create("Bread"));
  assert.match(milk?.uid ?? "", /^[0-9a-f-]{36}$/);
  const uid = milk!.uid!;
  await outbox.add({ op: "update", uid, title: "Oat milk" }, { op: "complete", uid });
  await outbox.add({ op: "delete", id: rent.id });
  await assert.rejects(outbox.flush(), TypeError);
  assert.equal((await outbox.state()).waiting.length, 5);
  assert.deepEqual(await titles(there), ["Rent"]);
  await way.reopen();
  await outbox.flush();
  assert.deepEqual(await titles(there), ["Oat milk", "Bread"]);
  const [made] = (await there.tasks.list({ sort: "created_at" })).data;
  assert.deepEqual([made?.uid, made?.completed], [uid, true]);
  assert.deepEqual(await outbox.state(), { waiting: [], batch: undefined, refused: [] });
});

test("alice's outbox sends by itself, as soon as the API is there again", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const controller = new AbortController();
  const states: number[] = [];
  const outbox = new Outbox({
    tasks: alice.tasks,
    storage: memoryStorage(),
    onChange: ({ waiting }) => states.push(waiting.length),
  });
  const errors: unknown[] = [];
  const { signal } = controller;
  const running = outbox.run({ signal, onError: (error) => errors.push(error) });
  await outbox.add(create("Milk"));
  while ((await outbox.state()).waiting.length > 0) await setTimeout(20);
  await way.shut();
  await outbox.add(create("Bread"));
  while (errors.length < 2) await setTimeout(20);
  await way.reopen();
  while ((await outbox.state()).waiting.length > 0) await setTimeout(20);
  assert.deepEqual(await titles(alice), ["Milk", "Bread"]);
  assert.equal(states.at(-1), 0, "and the page is told");
  controller.abort();
  await running;
});

test("when the answer is lost, alice's task is there once, by the same key", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const outbox = new Outbox({ tasks: alice.tasks, storage: memoryStorage() });
  await outbox.add(create("Milk"));
  way.losesAnswers = 1;
  await assert.rejects(outbox.flush(), TypeError);
  await outbox.add(create("Bread"));
  await outbox.flush();
  assert.deepEqual(await titles(alice), ["Milk", "Bread"]);
  const [lost, again, ...rest] = await batches(alice);
  assert.deepEqual(again, lost, "as it was, whatever was added meanwhile");
  assert.deepEqual(rest.map(({ operations }) => operations.length), [1]);
});

test("after a reload alice's outbox goes on where it was, with the same key", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const storage = memoryStorage();
  const before = new Outbox({ tasks: alice.tasks, storage });
  const [milk] = await before.add(create("Milk"));
  await before.add({ op: "complete", uid: milk!.uid! });
  way.losesAnswers = 1;
  await assert.rejects(before.flush(), TypeError);
  const after = new Outbox({ tasks: alice.tasks, storage });
  await after.flush();
  const [task, ...others] = (await alice.tasks.list()).data;
  assert.deepEqual([task?.completed, task?.version, others], [true, 2, []]);
  const [first, second, ...none] = await batches(alice);
  assert.deepEqual([second, none], [first, []]);
});

test("three days later, when the key is forgotten, alice's task still is there once", async (t) => {
  const way = await tunnel(t);
  const alice = await Person.called("alice", server, way.baseUrl);
  const storage = memoryStorage();
  const outbox = new Outbox({ tasks: alice.tasks, storage });
  const [milk] = await outbox.add(create("Milk"));
  const uid = milk!.uid!;
  await outbox.add({ op: "complete", uid }, create("Bread"), { op: "delete", id: 1 });
  way.losesAnswers = 1;
  await assert.rejects(outbox.flush(), TypeError);
  await storage.update((state) => ({ ...state, batch: { key: crypto.randomUUID(), size: 4 } }));
  await outbox.flush();
  const done = (await alice.tasks.list({ sort: "created_at" })).data;
  assert.deepEqual(done.map(({ title, completed }) => [title, completed]), [
    ["Milk", true],
    ["Bread", false],
  ]);
  assert.deepEqual((await outbox.state()).refused, [], "to delete what is gone is no failure");
});

test("what is refused for good does not hold up the rest, and alice is told", async () => {
  const alice = await Person.called("alice", server);
  const { data: task } = await alice.tasks.create({ title: "Rent" });
  await alice.tasks.update(task.id, { title: "Pay the rent" });
  const results: [string, number][] = [];
  const onResult = ({ op }: Operation, { status }: BatchResult) => results.push([op, status]);
  const storage = memoryStorage();
  const outbox = new Outbox({ tasks: alice.tasks, storage, onResult });
  await outbox.add(
    create(" "),
    { op: "update", id: task.id, title: "Rent!", if_version: task.version },
    { op: "complete", uid: crypto.randomUUID() },
    create("Milk"),
  );
  await outbox.flush();
  assert.deepEqual(await titles(alice), ["Pay the rent", "Milk"]);
  const after = new Outbox({ tasks: alice.tasks, storage });
  const { waiting, refused } = await after.state();
  assert.deepEqual(waiting, []);
  assert.deepEqual(
    refused.map(({ operation, status, kind }) => [operation.op, status, kind]),
    [
      ["create", 422, "invalid-input"],
      ["update", 412, "precondition-failed"],
      ["complete", 404, "no-such-task"],
    ],
  );
  assert.deepEqual(refused[0]?.errors.map(({ pointer }) => pointer), ["#/title"]);
  assert.equal(refused[1]?.current?.title, "Pay the rent");
  await after.dismiss(refused[1]!.id);
  const left = (await after.state()).refused.map(({ status }) => status);
  assert.deepEqual(left, [422, 404]);
  assert.deepEqual(results, [["create", 422], ["update", 412], ["complete", 404], ["create", 201]]);
});

test("a task that alice has deleted on her phone does not come back from her laptop", async () => {
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server);
  const storage = memoryStorage();
  const outbox = new Outbox({ tasks: laptop.tasks, storage });
  const [milk] = await outbox.add(create("Milk"));
  await phone.tasks.batch([milk!, { op: "delete", uid: milk!.uid! }]);
  await outbox.add({ op: "update", uid: milk!.uid!, title: "Oat milk" });
  await outbox.flush();
  assert.deepEqual(await titles(phone), []);
  const { refused } = await outbox.state();
  assert.deepEqual(refused.map(({ kind }) => kind), ["was-deleted", "no-such-task"]);
});

test("an operation that spoils its whole batch is found, and the others are done", async () => {
  const alice = await Person.called("alice", server);
  const outbox = new Outbox({ tasks: alice.tasks, storage: memoryStorage() });
  const good = Array.from({ length: 7 }, (_, n) => create(`Task ${n}`));
  const half = create("😀".slice(0, 1)); // a lone surrogate
  await outbox.add(...good.slice(0, 3), half, ...good.slice(3));
  await outbox.flush();
  assert.deepEqual(await titles(alice), good.map(({ title }) => title));
  const { refused } = await outbox.state();
  assert.deepEqual(refused.map(({ operation }) => "title" in operation && operation.title), ["\ud83d"]);
});

test("more than the API takes at once is sent in parts: in number, and in size", async () => {
  const alice = await Person.called("alice", server);
  const outbox = new Outbox({ tasks: alice.tasks, storage: memoryStorage() });
  const large = { description: "😀".repeat(10_000) };
  const many = Array.from({ length: 150 }, (_, n) => ({ ...create(`Task ${n}`), ...large }));
  const tooLarge = { ...create("All of it"), description: "x".repeat(2 ** 20) };
  await outbox.add(...many.slice(0, 100), tooLarge, ...many.slice(100));
  await outbox.flush();
  assert.deepEqual(await titles(alice), many.map(({ title }) => title));
  const { waiting, refused } = await outbox.state();
  assert.deepEqual([waiting, refused.map(({ status }) => status)], [[], [413]]);
});

test("two tabs of alice that send at the same moment do everything once", async () => {
  const alice = await Person.called("alice", server);
  const other = await alice.device(server);
  const storage = memoryStorage();
  const tabs = [alice, other].map(({ tasks }) => new Outbox({ tasks, storage }));
  const [milk] = await tabs[0]!.add(create("Milk"));
  const { data: task } = await alice.tasks.create({ title: "Rent" });
  await tabs[1]!.add(
    { op: "complete", uid: milk!.uid! },
    { op: "complete", id: task.id },
    create(" "),
  );
  const sent = await Promise.allSettled(tabs.map((tab) => tab.flush()));
  for (const one of sent) {
    if (one.status === "fulfilled") continue;
    assert.ok(one.reason instanceof ProblemError, String(one.reason));
    assert.equal(one.reason.kind, "request-in-progress");
  }
  const done = (await alice.tasks.list({ sort: "title" })).data;
  assert.deepEqual(done.map(({ title, completed, version }) => [title, completed, version]), [
    ["Milk", true, 2],
    ["Rent", true, 2],
  ]);
  const keys = [...(await batches(alice)), ...(await batches(other))].map(({ key }) => key);
  assert.equal(new Set(keys).size, 1);
  const { waiting, refused } = await tabs[0]!.state();
  assert.deepEqual([waiting, refused.length], [[], 1], "told once");
});

test("a tab that hears late of what another one has sent forgets nothing new", async (t) => {
  const way = await tunnel(t);
  const slow = await Person.called("alice", server, way.baseUrl);
  const quick = await slow.device(server);
  const storage = memoryStorage();
  const tabs = [slow, quick].map(({ tasks }) => new Outbox({ tasks, storage }));
  await tabs[0]!.add(create("Milk"));
  const { release, held } = way.holdsAnswers();
  const sending = tabs[0]!.flush();
  await held;
  await tabs[1]!.flush();
  await tabs[1]!.add(create("Bread"), create("Tea"));
  release();
  await sending;
  assert.deepEqual(await titles(quick), ["Milk", "Bread", "Tea"]);
  assert.deepEqual((await tabs[0]!.state()).waiting, []);
});

test("when alice is signed out nothing is lost, and it is sent when she is back", async () => {
  const stranger = await Person.stranger(server);
  const storage = memoryStorage();
  const outbox = new Outbox({ tasks: stranger.tasks, storage });
  await outbox.add(create("Milk"));
  await assert.rejects(outbox.run(), { status: 401 });
  assert.equal((await outbox.state()).waiting.length, 1);
  const alice = await Person.called("alice", server);
  await new Outbox({ tasks: alice.tasks, storage }).flush();
  assert.deepEqual(await titles(alice), ["Milk"]);
});

test("alice's outbox takes no proxy's answer for the API's", async (t) => {
  const alice = await Person.called("alice", server);
  for (const answer of [
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>Hi",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"results":[]}',
    "HTTP/1.1 422 Unprocessable\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>Hi",
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>Hi",
  ]) {
    const way = await Tunnel.to(server.baseUrl, answer);
    t.after(() => way.shut());
    const there = await alice.device(server, way.baseUrl);
    const storage: OutboxStorage = memoryStorage();
    const outbox = new Outbox({ tasks: there.tasks, storage });
    await outbox.add(create("Milk"));
    const controller = new AbortController();
    const onError = () => controller.abort();
    await outbox.run({ signal: controller.signal, onError });
    assert.equal((await outbox.state()).waiting.length, 1, answer);
    assert.deepEqual((await outbox.state()).refused, []);
  }
});
