/** The parts of npm's lockfile (version 3) that matter here. Source: https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const MODULES = "node_modules/";

/**
 * Cuts the lockfile of one workspace out of the lockfile of the repository, so that what is deployed are the very versions that were
 * tested. Throws where two versions of a package would have to lie in the same place.
 */
export function pruneLockfile(repository: Lockfile, workspace: string, manifest: Manifest): object {
  const packages: Record<string, unknown> = { "": manifest };
  const queue = Object.keys(manifest.dependencies).map((name) => ({ name, from: workspace, required: true }));
  const sources = new Map<string, string>();
  for (let next = queue.shift(); next; next = queue.shift()) {
    const path = resolve(repository, next.from, next.name);
    if (path === undefined) {
      if (next.required) throw new Error(`${next.name}, which ${next.from} needs, is not in the lockfile`);
      continue;
    }
    const place = path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
    const taken = sources.get(place);
    if (taken === path) continue;
    if (taken !== undefined) throw new Error(`${path} and ${taken} would both be installed in ${place}`);
    sources.set(place, path);
    const locked = repository.packages[path] as LockedPackage;
    packages[place] = locked;
    queue.push(...needsOf(locked, path));
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...manifestHead(manifest), lockfileVersion: repository.lockfileVersion, requires: true, packages: sorted };
}

function manifestHead({ name, version }: Manifest): { name: string; version: string } {
  return { name, version };
}

function needsOf(locked: LockedPackage, from: string): { name: string; from: string; required: boolean }[] {
  const peers = Object.keys(locked.peerDependencies ?? {}).map((name) => ({
    name,
    from,
    required: !locked.peerDependenciesMeta?.[name]?.optional,
  }));
  return [
    ...Object.keys(locked.dependencies ?? {}).map((name) => ({ name, from, required: true })),
    ...Object.keys(locked.optionalDependencies ?? {}).map((name) => ({ name, from, required: false })),
    ...peers.filter(({ required }) => required),
  ];
}

/** Where Node would find a package from another one: in its own node_modules, or in those of a folder above. */
function resolve(repository: Lockfile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = parent(folder)) {
    const path = folder === "" ? `${MODULES}${name}` : `${folder}/${MODULES}${name}`;
    if (repository.packages[path]) return path;
    if (folder === "") return undefined;
  }
}

function parent(folder: string): string {
  const cut = folder.lastIndexOf(`/${MODULES}`);
  if (cut >= 0) return folder.slice(0, cut);
  return "";
}
