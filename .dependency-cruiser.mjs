/**
 * The floors of the house (docs/architecture.md): a module imports only from lower floors, and of another module only its face,
 * `index.ts`. Checked by `npm run check`.
 */
const FLOORS = [
  ["platform"],
  ["identity", "media", "notices"],
  ["ledger"],
  ["rewards", "fraud", "games"],
  ["store", "payouts", "leaderboards", "progress"],
  ["events", "social", "chat", "market", "picks", "referrals", "assistant"],
  ["admin"],
];

const modules = "functions/src";
const anyOf = (names) => `(${names.join("|")})`;

const floors = FLOORS.flatMap((floor, i) => {
  const above = FLOORS.slice(i + 1).flat();
  const rules = floor.map((name) => ({
    name: `${name}-stays-on-its-floor`,
    comment: `${name} may import from lower floors only, and not from its neighbours; reactions go through domain events.`,
    severity: "error",
    from: { path: `^${modules}/${name}/` },
    to: {
      path: `^${modules}/${anyOf([...above, ...floor.filter((other) => other !== name), "(index|services)\\.ts$"])}`,
    },
  }));
  return above.length > 0 || floor.length > 1 ? rules : [];
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...floors,
    {
      name: "only-the-face-of-a-module",
      comment: "Of another module, import its index.ts.",
      severity: "error",
      from: { path: `^${modules}/([^/]+)/`, pathNot: "\\.test\\.ts$" },
      to: { path: `^${modules}/(?!platform/)([^/]+)/`, pathNot: [`^${modules}/$1/`, `^${modules}/[^/]+/index\\.ts$`] },
    },
    {
      name: "local-stands-alone",
      comment: "The local suite is a product of its own.",
      severity: "error",
      from: { path: "^local/" },
      to: { path: "^(functions|scripts|tests|client|console)/" },
    },
    {
      name: "functions-know-nothing-of-tools",
      severity: "error",
      from: { path: "^functions/src/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(local|scripts|tests)/" },
    },
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, pathNot: "\\.(mjs|cjs|d\\.ts)$|/contract\\.ts$" },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js", ".json"] },
  },
};
