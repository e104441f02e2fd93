/** What Realtime Database allows. Source: https://firebase.google.com/docs/database/usage/limits */
export const LIMITS = {
  /** Of a key, in UTF-8. */
  keyBytes: 768,
  /** Keys from the root to a leaf. */
  depth: 32,
  /** Of one string value, in UTF-8. */
  stringBytes: 10 * 1024 * 1024,
  /** Of one message of a client over WebSocket. */
  messageBytes: 16 * 1024 * 1024,
  /** Of the body of a REST request. */
  bodyBytes: 256 * 1024 * 1024,
} as const;
