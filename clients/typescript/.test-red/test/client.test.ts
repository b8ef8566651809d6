import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import {
  createTaskClient,
  etagOf,
  idempotencyKey,
  ProblemError,
  type Task,
  type TaskQuery,
} from "../src/index.js";
import { behindNginx } from "./nginx.js";
import { Person } from "./people.js";
import { Server } from "./server.js";

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());

/** The failure that is expected of this. */
async function problem(attempt: Promise<unknown>): Promise<ProblemError> {
  const error = await attempt.then(() => assert.fail("it succeeded"), (error: unknown) => error);
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

const problems = (...attempts: Promise<unknown>[]) => Promise.all(attempts.map(problem));
const titles = (tasks: Task[]) => tasks.map((task) => task.title);

test("alice creates, reads, lists, changes, completes and deletes a task", async () => {
  const { tasks, id } = await Person.called("alice", server);
  const { data: task, response } = await tasks.create({ title: "Buy milk" });
  assert.equal(response.status, 201);
  assert.equal(task.user_id, id);
  assert.deepEqual((await tasks.get(task.id)).data, task);
  assert.deepEqual((await tasks.list()).data, [task]);
  const { data: changed } = await tasks.update(task.id, { description: "Two litres" });
  assert.deepEqual([changed.title, changed.description], ["Buy milk", "Two litres"]);
  assert.equal((await tasks.complete(task.id)).data.completed, true, "toggled");
  assert.equal((await tasks.complete(task.id, { completed: true })).data.completed, true);
  assert.deepEqual((await tasks.list({ completed: false })).data, []);
  await tasks.delete(task.id);
  assert.deepEqual((await tasks.list()).data, []);
});

test("bob is told that alice's task is not there", async () => {
  const alice = await Person.called("alice", server);
  const bob = await Person.called("bob", server);
  const { data: task } = await alice.tasks.create({ title: "Buy milk" });
  const answers = await problems(
    bob.tasks.get(task.id),
    bob.tasks.update(task.id, { title: "Buy wine" }),
    bob.tasks.complete(task.id),
    bob.tasks.delete(task.id),
  );
  assert.deepEqual(answers.map(({ status }) => status), [404, 404, 404, 404]);
  assert.deepEqual(bob.asked, [false, false, false, false], "his token is good");
  assert.deepEqual((await alice.tasks.get(task.id)).data, task, "the control");
});

test("a problem tells its kind, and the request to ask about", async () => {
  const bob = await Person.called("bob", server);
  const { kind, title, requestId, errors } = await problem(bob.tasks.get(1));
  assert.deepEqual([kind, title, errors], ["no-such-task", "There is no such task", []]);
  assert.match(requestId ?? "", /^[A-Za-z0-9._-]{1,128}$/);
});

test("an old token is refreshed once, and both tries are one action", async () => {
  const alice = await Person.withOldToken("alice", server);
  const { data: task } = await alice.tasks.create({ title: "Buy milk" });
  assert.equal(task.title, "Buy milk", "the body went with the second try as well");
  assert.deepEqual(alice.asked, [false, true]);
  const [first, second, ...more] = alice.keys();
  assert.match(first ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(second, first);
  assert.deepEqual(more, []);
  assert.deepEqual((await alice.tasks.list()).data, [task], "the new token is kept");
  assert.deepEqual(alice.asked, [false, true, false]);
});

test("a stranger is refused after one refresh", async () => {
  const stranger = await Person.stranger(server);
  assert.equal((await problem(stranger.tasks.list())).status, 401);
  assert.deepEqual(stranger.asked, [false, true]);
  assert.equal(stranger.sent.length, 2);
  assert.equal((await problem(stranger.tasks.list())).status, 401);
  assert.deepEqual(stranger.asked, [false, true, false, true], "and may try again later");
});

test("alice's requests that fail together share one refresh", async () => {
  const alice = await Person.withOldToken("alice", server);
  await Promise.all([1, 2, 3, 4, 5].map((n) => alice.tasks.create({ title: `Task ${n}` })));
  assert.deepEqual(alice.asked.filter((refresh) => refresh), [true]);
  assert.equal((await alice.tasks.list()).data.length, 5);
});

test("a 401 that arrives after the refresh shares it too", async () => {
  let release = () => {};
  const refreshed = new Promise<void>((resolve) => (release = resolve));
  let count = 0;
  const alice = await Person.withOldToken("alice", server, async (request) => {
    const late = ++count === 1;
    const response = await fetch(request);
    if (late) await refreshed;
    return response;
  });
  const late = alice.tasks.create({ title: "Late" });
  await alice.tasks.create({ title: "Early" });
  release();
  await late;
  assert.deepEqual(alice.asked.filter((refresh) => refresh), [true]);
  assert.deepEqual(titles((await alice.tasks.list()).data), ["Late", "Early"]);
});

test("what the token provider throws reaches alice", async () => {
  const signedOut = new Error("signed out");
  const { baseUrl } = server;
  const tasks = createTaskClient({ baseUrl, token: () => Promise.reject(signedOut) });
  await assert.rejects(tasks.list(), signedOut);
});

test("alice's action is done once, however often it is tried", async () => {
  const alice = await Person.called("alice", server);
  const key = idempotencyKey();
  const first = await alice.tasks.create({ title: "Buy milk" }, { key });
  const again = await alice.tasks.create({ title: "Buy milk" }, { key });
  assert.deepEqual(again.data, first.data);
  assert.equal(again.etag, first.etag);
  assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
  assert.equal((await alice.tasks.list()).data.length, 1);
  const toggle = idempotencyKey();
  await alice.tasks.complete(first.data.id, { key: toggle });
  const { data } = await alice.tasks.complete(first.data.id, { key: toggle });
  assert.equal(data.completed, true, "toggled once");
});

test("two actions of alice are two, and a key is good for one", async () => {
  const alice = await Person.called("alice", server);
  await alice.tasks.create({ title: "Buy milk" });
  await alice.tasks.create({ title: "Buy milk" });
  assert.equal(new Set(alice.keys()).size, 2);
  assert.equal((await alice.tasks.list()).data.length, 2);
  const key = idempotencyKey();
  await alice.tasks.create({ title: "Buy milk" }, { key });
  const { status, kind } = await problem(alice.tasks.create({ title: "Buy wine" }, { key }));
  assert.deepEqual([status, kind], [422, "idempotency-key-reused"]);
});

test("alice's change is refused when the task has changed, and she is told how", async () => {
  const { tasks } = await Person.called("alice", server);
  const { data: task, etag } = await tasks.create({ title: "Buy milk" });
  assert.match(etag ?? "", /^".+"$/);
  const phone = await tasks.update(task.id, { title: "Buy oat milk" }, { ifMatch: etag });
  for (const conflict of await problems(
    tasks.update(task.id, { title: "Buy soy milk" }, { ifMatch: etag }),
    tasks.complete(task.id, { completed: true, ifMatch: etag }),
    tasks.delete(task.id, { ifMatch: etag }),
  )) {
    assert.deepEqual([conflict.status, conflict.kind], [412, "precondition-failed"]);
    assert.deepEqual(conflict.current, phone.data);
    assert.equal(conflict.etag, phone.etag);
  }
  await tasks.delete(task.id, { ifMatch: phone.etag });
  assert.equal((await problem(tasks.get(task.id))).status, 404);
});

test("alice changes what she sees in a list, and sends it back whole", async () => {
  const { tasks } = await Person.called("alice", server);
  await tasks.create({ title: "Buy milk" });
  const [seen] = (await tasks.list()).data;
  assert.ok(seen);
  const changed = await tasks.update(seen.id, { ...seen, title: "Buy oat milk" });
  assert.deepEqual([changed.data.version, changed.etag], [2, '"2"']);
  for (const conflict of await problems(
    tasks.update(seen.id, { ...seen, title: "Buy soy milk" }),
    tasks.update(seen.id, { title: "Buy soy milk" }, { ifMatch: seen }),
    tasks.complete(seen.id, { ifMatch: seen }),
    tasks.delete(seen.id, { ifMatch: seen }),
  )) {
    assert.deepEqual([conflict.status, conflict.current], [412, changed.data]);
  }
  const { errors } = await problem(tasks.update(seen.id, { ...changed.data, id: seen.id + 1 }));
  assert.deepEqual(errors.map(({ pointer }) => pointer), ["#/id"]);
  await tasks.delete(seen.id, { ifMatch: changed.data });
});

test("behind a proxy that compresses, alice's changes are not taken for conflicts", async (t) => {
  const proxy = await behindNginx(t, server.baseUrl);
  if (proxy === undefined) return;
  const { tasks } = await Person.called("alice", server, proxy);
  const { data: made } = await tasks.create({ title: "Buy milk" });
  const read = await tasks.get(made.id);
  assert.equal(read.response.headers.get("ETag"), 'W/"1"', "the control: it has weakened it");
  assert.equal(read.etag, '"1"');
  const renamed = await tasks.update(made.id, { title: "Buy oat milk" }, { ifMatch: read.etag });
  const conflict = await problem(tasks.complete(made.id, { ifMatch: made }));
  assert.deepEqual([conflict.status, conflict.etag], [412, etagOf(renamed.data)]);
  const done = await tasks.complete(made.id, { ifMatch: conflict.etag });
  assert.equal(done.data.completed, true);
  const [listed] = (await tasks.list()).data;
  await tasks.delete(made.id, { ifMatch: listed });
});

test("a task that has not changed is no failure", async () => {
  const { tasks } = await Person.called("alice", server);
  const { data: task, etag } = await tasks.create({ title: "Buy milk" });
  const { data, response } = await tasks.api.GET("/api/tasks/{task_id}", {
    params: { path: { task_id: task.id } },
    headers: { "If-None-Match": etag },
  });
  assert.deepEqual([response.status, data], [304, undefined]);
});

test("alice is told what is wrong with her input, and where", async () => {
  const { tasks } = await Person.called("alice", server);
  const blank = await problem(tasks.create({ title: " " }));
  assert.equal(blank.status, 422);
  assert.deepEqual(blank.errors.map(({ pointer }) => pointer), ["#/title"]);
  const query = await problem(tasks.list({ limit: 0 }));
  assert.deepEqual(query.errors.map(({ parameter }) => parameter), ["limit"]);
});

test("alice walks all pages", async () => {
  const { tasks } = await Person.called("alice", server);
  for (const n of [1, 2, 3, 4, 5]) await tasks.create({ title: `Task ${n}` });
  const pages = [];
  for await (const { data } of tasks.pages({ limit: 2, completed: false })) pages.push(titles(data));
  assert.deepEqual(pages, [["Task 5", "Task 4"], ["Task 3", "Task 2"], ["Task 1"]]);
});

test("alice goes to the next page, and back, and hears how many tasks there are", async () => {
  const { tasks } = await Person.called("alice", server);
  for (const title of ["Bread", "Apples", "Cheese"]) await tasks.create({ title });
  const first = await tasks.list({ limit: 2, sort: "title" }, { count: true });
  assert.deepEqual(titles(first.data), ["Apples", "Bread"]);
  assert.equal(first.total, 3);
  assert.equal(first.links.prev, undefined);
  const last = await tasks.follow(first.links.next ?? "");
  assert.deepEqual(titles(last.data), ["Cheese"]);
  assert.deepEqual([last.links.next, last.total], [undefined, undefined]);
  assert.deepEqual((await tasks.follow(last.links.prev ?? "")).data, first.data);
  assert.deepEqual((await tasks.follow(last.links.first ?? "")).data, first.data);
});

test("alice finds her tasks by what is due, by tag and by priority, and sorts them", async () => {
  const { tasks } = await Person.called("alice", server);
  await tasks.createMany([
    { title: "Rent", due_date: "2030-01-31", tags: ["Home", "money"], priority: "high" },
    { title: "Milk", due_date: "2030-01-30", tags: ["home"], priority: "low" },
    { title: "Call", due_date: "2030-01-30", due_time: "09:30", time_zone: "Europe/Berlin" },
    { title: "Read", tags: ["R&D no"], priority: "medium" },
  ]);
  const found = async (query: TaskQuery) => titles((await tasks.list(query)).data).join(" ");
  assert.equal(await found({ sort: "due_date" }), "Call Milk Rent Read");
  assert.equal(await found({ sort: "-due_date" }), "Rent Milk Call Read");
  assert.equal(await found({ sort: "-priority" }), "Rent Read Milk Call");
  assert.equal(await found({ due_before: "2030-01-31", sort: "due_date" }), "Call Milk");
  assert.equal(await found({ due_after: "2030-01-30" }), "Rent");
  assert.equal(await found({ due: "none" }), "Read");
  assert.equal(await found({ tags: "home" }), "Milk Rent");
  assert.equal(await found({ tags: ["home", "money"] }), "Rent");
  assert.equal(await found({ any_tag: ["money", "R&D no"] }), "Read Rent");
  assert.equal(await found({ priority: ["high", "medium"], completed: false }), "Read Rent");
  assert.equal(await found({ tags: [], priority: [] }), "Read Call Milk Rent", "no filter");
  assert.equal(await found({ completed_after: "2030-01-01T00:00:00Z" }), "");
  const pages = [];
  for await (const { data } of tasks.pages({ tags: ["home"], sort: "due_date", limit: 1 }))
    pages.push(titles(data));
  assert.deepEqual(pages, [["Milk"], ["Rent"]]);
  const { errors } = await problem(tasks.list({ due_before: "tomorrow" }));
  assert.deepEqual(errors.map(({ parameter }) => parameter), ["due_before"]);
});

test("alice's tags are counted, and bob has none", async () => {
  const alice = await Person.called("alice", server);
  const bob = await Person.called("bob", server);
  await alice.tasks.create({ title: "Milk", tags: ["Home"] });
  await alice.tasks.create({ title: "Rent", tags: ["home", "money"], completed: true });
  const counts = [{ tag: "Home", open: 1 }, { tag: "money", open: 0 }];
  assert.deepEqual((await alice.tasks.tags()).data, counts);
  assert.deepEqual((await bob.tasks.tags()).data, []);
});

test("alice completes a task that repeats, and is told the next one", async () => {
  const { tasks } = await Person.called("alice", server);
  const rent = { title: "Pay the rent", due_date: "2030-01-31", repeat: "FREQ=MONTHLY" };
  const { data: task } = await tasks.create({ ...rent, priority: "high", tags: ["home"] });
  assert.deepEqual([task.repeat, task.repeat_from, task.next_id], ["FREQ=MONTHLY", "due", null]);
  const { data: done } = await tasks.complete(task.id, { completed: true, ifMatch: task });
  assert.deepEqual([done.completed, done.repeat], [true, null]);
  assert.ok(done.next_id !== null && done.completed_at !== null);
  const { data: next } = await tasks.get(done.next_id);
  assert.deepEqual([next.title, next.due_date, next.tags], ["Pay the rent", "2030-02-28", ["home"]]);
  await tasks.complete(task.id, { completed: false, ifMatch: done });
  const again = await tasks.complete(task.id, { completed: true });
  assert.equal(again.data.next_id, next.id, "no other one");
  assert.equal((await tasks.list()).data.length, 2);
  const refused = await problem(tasks.update(next.id, { due_date: null }));
  assert.deepEqual(refused.errors.map(({ pointer }) => pointer), ["#/repeat"]);
  const cleared = await tasks.update(next.id, { due_date: null, repeat: null, tags: null });
  assert.deepEqual([cleared.data.due_date, cleared.data.repeat, cleared.data.tags], [null, null, []]);
});

test("alice creates many tasks, all or none", async () => {
  const { tasks } = await Person.called("alice", server);
  const { data } = await tasks.createMany([{ title: "Bread" }, { title: "Milk", completed: true }]);
  assert.deepEqual(titles(data), ["Bread", "Milk"]);
  const refused = await problem(tasks.createMany([{ title: "Cheese" }, { title: "" }]));
  assert.deepEqual(refused.errors.map(({ pointer }) => pointer), ["#/1/title"]);
  assert.equal((await tasks.list()).data.length, 2);
  assert.deepEqual((await tasks.deleteCompleted()).data, { deleted: 1 });
  assert.deepEqual(titles((await tasks.list()).data), ["Bread"]);
});

test("when nobody answers, alice gets the TypeError of fetch", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const tasks = createTaskClient({ baseUrl: `http://127.0.0.1:${port}`, token: async () => "t" });
  await assert.rejects(tasks.list(), TypeError);
});

test("alice can stop waiting", async () => {
  const { tasks } = await Person.called("alice", server);
  await assert.rejects(tasks.list({}, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("a proxy's failure is a ProblemError as well", async (t) => {
  const proxy = createServer((_, answer) => {
    answer.writeHead(503, { "Content-Type": "text/html", "Retry-After": "7" }).end("<h1>Busy</h1>");
  }).listen(0, "127.0.0.1");
  t.after(() => proxy.close());
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const tasks = createTaskClient({ baseUrl: `http://127.0.0.1:${port}`, token: async () => "t" });
  const { status, kind, title, retryAfter } = await problem(tasks.list());
  assert.deepEqual([status, kind, title], [503, "about:blank", "Service Unavailable"]);
  assert.equal(retryAfter, 7);
});
