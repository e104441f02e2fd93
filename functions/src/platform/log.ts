import * as logger from "firebase-functions/logger";

/** Structured log lines. Names of things and reasons only: no tokens, no bodies of requests, nothing about a person but the uid. */
export interface LogFields {
  readonly [field: string]: string | number | boolean | undefined;
}

export const log = {
  info: (message: string, fields: LogFields = {}) => logger.info(message, fields),
  warn: (message: string, fields: LogFields = {}) => logger.warn(message, fields),
  /** Something that a person should look at. The error's stack goes to the log, never to a caller. */
  error: (message: string, error: unknown, fields: LogFields = {}) =>
    logger.error(message, {
      ...fields,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
};
