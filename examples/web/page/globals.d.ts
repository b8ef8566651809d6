/** Where the task API is; bundle.mjs fills it in. */
declare const API_ORIGIN: string;
/** A digest of the page's files; bundle.mjs fills it in. */
declare const SHELL_VERSION: string;
