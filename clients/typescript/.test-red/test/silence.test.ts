import assert from "node:assert/strict";
import { test } from "node:test";
import { Person } from "./people.js";
import { Server } from "./server.js";
import { Tunnel } from "./tunnel.js";

// In a file of its own: it takes as long as a client waits in silence.
test("a connection that died unnoticed is replaced, and alice hears what she has missed", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const way = await Tunnel.to(server.baseUrl);
  t.after(() => way.shut());
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server, way.baseUrl);
  const controller = new AbortController();
  t.after(() => controller.abort());
  const wakes = laptop.tasks.watch({ signal: controller.signal });
  await wakes.next();
  await phone.tasks.create({ title: "Milk" });
  const milk = await wakes.next();
  way.fallsSilent();
  await phone.tasks.create({ title: "Bread" });
  const bread = await wakes.next();
  assert.ok(bread.value?.token, "by the stream itself, and not because a minute is over");
  assert.notEqual(bread.value.token, milk.value?.token);
});
