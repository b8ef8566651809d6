/** What each program says, for the test to compare. */
export type Said = {
  created: string;
  listed: string[];
  next: string | undefined;
  missing: string;
};

export const { API = "", TOKEN = "" } = process.env;
export const KEY = "an-action-of-" + process.argv[1];

/** The address of the next page. */
export function next(headers: Headers): string | undefined {
  return /<([^>]*)>; rel="next"/.exec(headers.get("Link") ?? "")?.[1];
}

export function says(said: Said) {
  console.log(JSON.stringify(said));
}
