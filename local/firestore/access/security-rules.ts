import { parseRules, type Ruleset } from "../../rules/rules.ts";

/** The security rules of each project. A project that has none lets everybody do everything, as Google's emulator does. */
export class SecurityRules {
  readonly #rulesets = new Map<string, Ruleset>();
  readonly #listeners = new Set<() => void>();

  /** Puts rules into force. Throws a RulesSyntaxError, and leaves those before in force, if they cannot be. */
  put(project: string, source: string): void {
    this.#rulesets.set(project, parseRules(source));
    for (const listener of this.#listeners) listener();
  }

  of(project: string): Ruleset | undefined {
    return this.#rulesets.get(project);
  }

  /** Called when rules have changed. Returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
