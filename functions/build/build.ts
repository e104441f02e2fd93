import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Lockfile, pruneLockfile } from "./lockfile.ts";

/**
 * Makes `functions/dist`, which is what is deployed: the bundle, a package.json with what the bundle does not hold, and a lockfile
 * for it cut out of the repository's own. Dependencies of the package stay packages; its devDependencies go into the bundle.
 */
const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies: Record<string, string>;
}

await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist"), { recursive: true });
const manifest = JSON.parse(await readFile(here("package.json"), "utf8")) as Manifest;
const { name, version, license, dependencies } = manifest;

await build({
  entryPoints: [here("src/index.ts")],
  outdir: here("dist"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external: Object.keys(dependencies),
  sourcemap: true,
  minify: true,
  keepNames: true,
  logLevel: "warning",
});

const deployed = {
  name,
  version,
  private: true,
  license,
  type: "module",
  main: "index.js",
  engines: { node: "24" },
  dependencies,
};
const lockfile = JSON.parse(await readFile(here("../package-lock.json"), "utf8")) as Lockfile;
await writeFile(here("dist/package.json"), `${JSON.stringify(deployed, undefined, 2)}\n`);
await writeFile(
  here("dist/package-lock.json"),
  `${JSON.stringify(pruneLockfile(lockfile, "functions", deployed), undefined, 2)}\n`,
);
// Made-up secrets for the emulators; firebase.json keeps the file out of deployments.
await cp(here("local.secrets"), here("dist/.secret.local"));
