import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { jwt } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";

/**
 * Better Auth: people, their sessions (a cookie), and tokens for the API (jwt plugin).
 *
 * @param {{ origin: string, secret: string, file: string, tokenLifetime: string }} options
 */
export async function createAuth({ origin, secret, file, tokenLifetime }) {
  const database = new Database(file);
  const auth = betterAuth({
    baseURL: origin,
    secret,
    database: { dialect: new SqliteDialect({ database }), type: "sqlite" },
    emailAndPassword: { enabled: true },
    plugins: [
      jwt({
        jwt: {
          issuer: origin,
          audience: origin,
          expirationTime: tokenLifetime,
          // The API needs to know who, not the name and the e-mail address.
          definePayload: () => ({}),
        },
      }),
    ],
  });
  await (await getMigrations(auth.options)).runMigrations();
  return auth;
}
