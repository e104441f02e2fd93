/** The security rules that were uploaded, by project. They are kept; what they say is not evaluated. */
export class SecurityRules {
  readonly #sources = new Map<string, string>();

  put(project: string, source: string): void {
    this.#sources.set(project, source);
  }

  get(project: string): string | undefined {
    return this.#sources.get(project);
  }
}
