export * from "./client.js";
export * from "./problem.js";
export type { Fetch, TokenProvider } from "./token.js";
