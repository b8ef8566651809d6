module.exports = {
  tasks: {
    input: "./openapi.json",
    output: {
      target: "./made/orval.ts",
      client: "fetch",
      headers: true,
      override: { mutator: { path: "./orval-fetch.ts", name: "send" } },
    },
  },
};
