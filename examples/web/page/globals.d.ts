/** Where the task API is; bundle.mjs fills it in. */
declare const API_ORIGIN: string;
