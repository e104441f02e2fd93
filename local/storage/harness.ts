/** For tests: what the CLI writes. */

/** Values as the CLI tags them. */
export const NULL = { null_value: null };
export const text = (value: string) => ({ string_value: value });
export const map = (fields: object) => ({ map_value: { fields } });
/** Of nobody, at noon. */
export const REQUEST = { auth: NULL, resource: NULL, time: { timestamp_value: "2026-08-01T12:00:00.250Z" } };

/** A condition for the files in one folder. */
export const rulesWith = (condition: string, method = "get") => `rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    match /files/{name} { allow ${method}: if ${condition}; }
  }
}`;

export const load = (id: number, content: string, rulesetName = "0") => ({
  id,
  action: "load_ruleset",
  context: { rulesetName, source: { files: [{ name: "storage.rules", content }] } },
});

export const verify = (id: number, context: object = {}) => ({
  id,
  action: "verify",
  context: {
    rulesetName: "0",
    service: "firebase.storage",
    path: "/b/B/o/files/a",
    method: "get",
    variables: { resource: NULL, request: map(REQUEST) },
    ...context,
  },
});
