import { ProblemError } from "task-api-client";
import { SignInUnavailable } from "./session";

/** A failure that may pass: said above the list, and tried again. */
export function sentence(error: unknown): string {
  if (error instanceof SignInUnavailable && navigator.onLine !== false) return "The sign-in server does not answer.";
  if (!(error instanceof ProblemError) && navigator.onLine === false) return "You are offline.";
  if (!(error instanceof ProblemError)) return "The task API does not answer.";
  if (error.status === 401) return `The task API does not know you: ${error.detail}`;
  return error.detail;
}

/** What is wrong with what was typed, or nothing when that is not what is wrong. */
export function complaint(error: unknown): string | undefined {
  if (!(error instanceof ProblemError) || error.status !== 422) return undefined;
  const details = error.errors.map(({ detail }) => detail);
  return details.length > 0 ? details.join(" ") : error.detail;
}
