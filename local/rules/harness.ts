import { parseRules, type RulesQuery, type RulesRequest, type Verdict } from "./rules.ts";
import { type RulesMap, RulesPath, RulesTimestamp, type RulesValue } from "./value.ts";

/** What the tests share: rules around a condition, and requests about `users/ada`. */

export const ROOT = ["databases", "(default)", "documents"];
export const USERS = [...ROOT, "users"];

export function map(fields: Record<string, RulesValue>): RulesMap {
  return new Map(Object.entries(fields));
}

/** A document as rules see it. */
export function document(data: Record<string, RulesValue>, path: readonly string[] = [...USERS, "ada"]): RulesMap {
  return map({ data: map(data), id: path.at(-1) ?? "", __name__: new RulesPath(path) });
}

/** Rules for `users/{id}` with a condition for everything, and functions before it. */
export function rulesWith(condition: string, functions = ""): string {
  return `rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    ${functions}
    match /users/{id} {
      allow read, write: if ${condition};
    }
  }
}`;
}

const ADA = map({ uid: "ada", token: map({ email: "ada@example.com", admin: true }) });

/** A `get` of `users/ada` by Ada, unless told otherwise. */
export function request(changes: Partial<RulesRequest> = {}): RulesRequest {
  return {
    service: "cloud.firestore",
    method: "get",
    path: [...USERS, "ada"],
    auth: ADA,
    time: new RulesTimestamp(1_700_000_000),
    resource: document({ name: "Ada", age: 36n, tags: ["a", "b"], profile: map({ city: "London" }), nothing: null }),
    document: () => null,
    readLimit: 10,
    ...changes,
  };
}

/** What a condition says of a request. */
export function judge(condition: string, changes: Partial<RulesRequest> = {}, functions = ""): Verdict {
  return parseRules(rulesWith(condition, functions)).evaluate(request(changes));
}

type Disjunctions = RulesQuery["disjunctions"];

/** What a condition says of the list of users by a query; the disjunctions are those of its filter. */
export function judgeQuery(condition: string, disjunctions: Disjunctions, query: Partial<RulesQuery> = {}): Verdict {
  return judge(condition, { method: "list", path: USERS, resource: null, query: { disjunctions, ...query } });
}
