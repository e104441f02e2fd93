import type { Node } from "../model/node.ts";
import type { Path } from "../model/path.ts";
import type { Query } from "../query/query.ts";
import { View } from "./view.ts";

interface Shared {
  readonly view: View;
  users: number;
}

/** The views that are looked through: one for all who ask the same of the same place. */
export class Views {
  readonly #shared = new Map<string, Shared>();

  /** The view of a place, as it is now; {@link release} gives it back. */
  take(root: Node, path: Path, query: Query | undefined): View {
    const name = nameOf(path, query);
    const known = this.#shared.get(name) ?? { view: new View(root, path, query), users: 0 };
    known.users++;
    this.#shared.set(name, known);
    return known.view;
  }

  release({ path, query }: View): void {
    const name = nameOf(path, query);
    const known = this.#shared.get(name);
    if (known && --known.users === 0) this.#shared.delete(name);
  }
}

function nameOf(path: Path, query: Query | undefined): string {
  return `${path.join("/")} ${JSON.stringify(query) ?? ""}`;
}
