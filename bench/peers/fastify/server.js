// The same API by hand: Fastify, pg with named statements, fast-jwt with its cache, one process a core.
// DATABASE_URL, BETTER_AUTH_SECRET, PORT, WORKERS as for task-api serve.
import cluster from "node:cluster";
import Fastify from "fastify";
import { createVerifier } from "fast-jwt";
import pg from "pg";

if (cluster.isPrimary) {
  for (let n = 0; n < Number(process.env.WORKERS); n++) cluster.fork();
  const stop = () => process.exit(0);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
} else {
  await serve();
}

async function serve() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  const verify = createVerifier({
    key: process.env.BETTER_AUTH_SECRET,
    algorithms: ["HS256"],
    cache: 20_000,
  });

  const date = (name) =>
    `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${name}`;
  const task = `id, user_id, title, description, completed,
    case priority when 1 then 'low' when 2 then 'medium' when 3 then 'high' end as priority,
    tags, due_date, to_char(due_time, 'HH24:MI') as due_time, time_zone, repeat, repeat_from,
    ${date("completed_at")}, next_id, uid, ${date("created_at")}, ${date("updated_at")}, version`;
  const one = (statement) =>
    `with one as (${statement} returning ${task}) select row_to_json(one)::text as body from one`;
  const statements = {
    who: "select set_config('app.user_id', $1, true)",
    list: `select coalesce(json_agg(row_to_json(rows)), '[]')::text as body from (
             select ${task} from task where user_id = $1 order by id desc limit $2 offset $3) rows`,
    get: `select row_to_json(one)::text as body from (
            select ${task} from task where user_id = $1 and id = $2) one`,
    create: one(`insert into task (user_id, title, description, completed, priority, tags, tag_keys,
                   due_date, due_time, time_zone, repeat, repeat_from)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`),
    complete: one(`update task set completed = coalesce($3, not completed)
                    where user_id = $1 and id = $2`),
  };

  const ranks = { low: 1, medium: 2, high: 3 };

  async function as(user, name, ...values) {
    const client = await pool.connect();
    let broken;
    try {
      await client.query("begin");
      await client.query({ name: "who", text: statements.who, values: [user] });
      const { rows } = await client.query({
        name,
        text: statements[name],
        values: [user, ...values],
      });
      await client.query("commit");
      return rows[0]?.body;
    } catch (error) {
      broken = error;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  const app = Fastify({ logger: false });
  app.decorateRequest("user", "");
  app.addHook("onRequest", async (request, reply) => {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    try {
      if (scheme !== "Bearer") throw new Error("no token");
      request.user = verify(token).sub;
    } catch {
      return reply.code(401).send({ detail: "Unauthorized" });
    }
  });

  const answer = (reply, body, status = 200) =>
    body === undefined
      ? reply.code(404).send({ detail: "Not found" })
      : reply.code(status).type("application/json").send(body);
  const id = { type: "object", properties: { id: { type: "integer", minimum: 1 } } };

  app.get(
    "/api/tasks",
    {
      schema: {
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            limit: { type: "integer", minimum: 1, maximum: 1000, default: 1000 },
            offset: { type: "integer", minimum: 0, default: 0 },
          },
        },
      },
    },
    async (request, reply) =>
      answer(reply, await as(request.user, "list", request.query.limit, request.query.offset)),
  );
  app.get("/api/tasks/:id", { schema: { params: id } }, async (request, reply) =>
    answer(reply, await as(request.user, "get", request.params.id)),
  );
  app.post(
    "/api/tasks",
    {
      schema: {
        body: {
          type: "object",
          required: ["title"],
          additionalProperties: false,
          properties: {
            title: { type: "string", minLength: 1, maxLength: 200 },
            description: { type: "string", nullable: true },
            completed: { type: "boolean", default: false },
            priority: { type: "string", enum: ["low", "medium", "high", null], nullable: true },
            tags: {
              type: "array",
              maxItems: 20,
              items: { type: "string", minLength: 1, maxLength: 50 },
              default: [],
            },
            due_date: { type: "string", format: "date", nullable: true },
            due_time: { type: "string", pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", nullable: true },
            time_zone: { type: "string", maxLength: 64, nullable: true },
            repeat: { type: "string", maxLength: 200, nullable: true },
            repeat_from: { type: "string", enum: ["due", "completion"], default: "due" },
          },
        },
      },
    },
    async (request, reply) => {
      const { title, description = null, completed, tags, repeat_from } = request.body;
      const { due_date = null, due_time = null, time_zone = null, repeat = null } = request.body;
      const created = await as(
        request.user,
        "create",
        ...[title, description, completed, ranks[request.body.priority] ?? null],
        ...[tags, tags.map((tag) => tag.toLowerCase())],
        ...[due_date, due_time, time_zone, repeat, repeat_from],
      );
      return answer(reply, created, 201);
    },
  );
  app.patch(
    "/api/tasks/:id/complete",
    {
      schema: {
        params: id,
        body: {
          type: "object",
          additionalProperties: false,
          properties: { completed: { type: "boolean" } },
        },
      },
    },
    async (request, reply) =>
      answer(reply, await as(request.user, "complete", request.params.id, request.body.completed)),
  );

  await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
}
