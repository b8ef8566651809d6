import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import ts from "typescript";
import type { TaskClient } from "../src/index.js";
import { Person } from "./people.js";
import { Server } from "./server.js";

let server: Server;
before(async () => void (server = await Server.start()));
after(() => server.stop());


type Around = { tasks: TaskClient; signal: AbortSignal; user: { id: string }; said: unknown[] };

/** The example of a section of README.md as a function, once it is known to have no type errors. */
async function example(section: string): Promise<(around: Around) => Promise<unknown>> {
  const [, text = ""] = (await readFile("README.md", "utf8")).split(`\n## ${section}\n`);
  const code = /```ts\n(.*?)```/s.exec(text)?.[1] ?? assert.fail(`no example under ${section}`);
  const imports = code.match(/^import .*\n/gm) ?? [];
  const body = imports.reduce((rest, line) => rest.replace(line, ""), code);
  const whole = (sources: string) => `${imports.join("")}
    import type { TaskClient } from "task-api-client";
    type Around = { tasks: TaskClient; signal: AbortSignal; user: { id: string }; said: unknown[] };
    export default async function ({ tasks, signal, user, said }: Around) {
      const console = { log: (...words: unknown[]) => said.push(words.join(" ")) };
      ${body}
    }`
    .replaceAll("indexedDBStorage({ user: user.id })", "memoryStorage()") // a browser's alone
    .replaceAll("indexedDBStorage", "memoryStorage")
    .replaceAll('"task-api-client"', `"${sources}/index.js"`)
    .replaceAll('"task-api-client/', `"${sources}/`)
    .replace(/"(\S*\/tanstack-query)"/, '"$1.js"');

  const folder = `.test/readme`;
  await mkdir(folder, { recursive: true });
  const file = `${folder}/${section.replace(/\W/g, "")}.ts`;
  await writeFile(file, whole("../../src"));
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ".");
  const program = ts.createProgram([file], {
    ...options,
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
  });
  const errors = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
  assert.deepEqual(errors, []);

  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(whole("../src"), { compilerOptions });
  const module = file.replace(".ts", ".js");
  await writeFile(module, outputText);
  return (await import(new URL(`../../${module}`, import.meta.url).href)).default;
}

/** Runs the example until this is so. */
async function runs(section: string, alice: Person, isDone: (said: string) => Promise<boolean>) {
  const [controller, said] = [new AbortController(), [] as unknown[]];
  const { signal } = controller;
  const running = (await example(section))({ tasks: alice.tasks, signal, user: alice, said });
  while (!(await isDone(said.join("\n")))) await setTimeout(50);
  controller.abort();
  await running;
}

test("the example of several devices runs", async () => {
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server);
  const sent = (path: string) => laptop.sent.filter(({ url }) => url.includes(path)).length;
  await phone.tasks.create({ title: "Milk" });
  await runs("Several devices", laptop, async () => {
    if (sent("/events") === 0) return false;
    if (sent("/changes") === 1) await phone.tasks.create({ title: "Bread" });
    return sent("/changes") > 1;
  });
});

test("the example of the outbox runs", async () => {
  const alice = await Person.called("alice", server);
  await runs("Offline", alice, async () => (await alice.tasks.list()).data[0]?.title === "Buy oat milk");
  const [task] = (await alice.tasks.list()).data;
  assert.equal(task?.completed, true);
});

test("the example of TanStack Query runs", async () => {
  const phone = await Person.called("alice", server);
  const laptop = await phone.device(server);
  await phone.tasks.create({ title: "Milk" });
  await runs("TanStack Query", laptop, async (said) => {
    if (!said.includes("1")) return false;
    if (said.includes("2")) return true;
    if ((await phone.tasks.list()).data.length < 2) await phone.tasks.create({ title: "Bread" });
    return false;
  });
});
