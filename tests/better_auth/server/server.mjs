// Front ends' servers, each with a Better Auth in it as docs/tokens.md sets it up. MODES, in JSON, says
// by name how each of them signs; their addresses, by name too, are what is printed. A mode has
//   jwt      options of the jwt plugin, which is left out without them; { sign: "secret" } makes it
//            sign with the secret
//   secret   BETTER_AUTH_SECRET
//   session  options of the session
// Each keeps everything in memory, and its e-mail in GET /mail/<address>.

import { once } from "node:events";
import { createServer } from "node:http";
import { memoryAdapter } from "better-auth/adapters/memory";
import { betterAuth } from "better-auth/minimal"; // the same without SQL
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins/jwt";
import { SignJWT } from "jose";

function jwtPlugin({ sign, ...options }, key, baseURL) {
  if (sign !== "secret") return jwt(options);
  // Better Auth then wants to know where the key set is, though there is none
  const jwks = { remoteUrl: `${baseURL}/no-key-set`, keyPairConfig: { alg: "EdDSA" } };
  const signed = (payload) =>
    new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key);
  return jwt({ jwks, jwt: { sign: signed } });
}

// the route of docs/tokens.md, "A shared secret"
async function taskToken(auth, key, request) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!session) return null;
  const token = await new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(session.user.id)
    .setAudience("task-api")
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(key);
  return { token };
}

async function serve(mode) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  const key = new TextEncoder().encode(mode.secret);
  const mailbox = new Map();

  const auth = betterAuth({
    baseURL,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ user, url }) => void mailbox.set(user.email, url),
    },
    plugins: mode.jwt ? [jwtPlugin(mode.jwt, key, baseURL)] : [],
    secret: mode.secret,
    session: mode.session,
    telemetry: { enabled: false },
    user: { changeEmail: { enabled: true } },
  });

  const betterAuthHandler = toNodeHandler(auth);
  server.on("request", async (request, response) => {
    const { pathname } = new URL(request.url, baseURL);
    if (pathname.startsWith("/api/auth/")) return betterAuthHandler(request, response);
    const answer =
      pathname === "/task-token"
        ? await taskToken(auth, key, request)
        : { url: mailbox.get(decodeURIComponent(pathname.replace("/mail/", ""))) };
    response.writeHead(answer ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer));
  });
  return baseURL;
}

const addresses = {};
for (const [name, mode] of Object.entries(JSON.parse(process.env.MODES))) {
  addresses[name] = await serve(mode);
}
console.log(JSON.stringify(addresses));
