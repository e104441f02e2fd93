import { parseRules, type Ruleset } from "../../rules/rules.ts";

/**
 * The security rules of each project, and of each database that has its own. A database without any lets everybody do everything, as in
 * Google's emulator, which knows rules of projects only.
 */
export class SecurityRules {
  readonly #rulesets = new Map<string, Ruleset>();
  readonly #listeners = new Set<() => void>();

  /**
   * Puts rules into force. Throws a RulesSyntaxError, and leaves those before in force, if they cannot be.
   * @param scope a project's id, or a database's name (`projects/p/databases/d`)
   */
  put(scope: string, source: string): void {
    this.#rulesets.set(scope, parseRules(source));
    for (const listener of this.#listeners) listener();
  }

  /** The rules of a project, or those that hold in a database: its own, or else its project's. */
  of(scope: string): Ruleset | undefined {
    return this.#rulesets.get(scope) ?? this.#rulesets.get(scope.split("/")[1] ?? "");
  }

  /** Called when rules have changed. Returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
