/** Sessions in which people play. Whoever takes scores may ask that each comes with a session's token, and uses it up. */
export { verifyToken } from "./token.ts";
export { prepareUse } from "./use.ts";
