/** Data that cannot be opened or kept. The message is for whoever runs the server, and names the file and, where that says something, the byte. */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** What a record or a header is not whole at. */
export function damaged(file: string, offset: number, why: string): DataError {
  return new DataError(
    `${file} is damaged at byte ${offset}: ${why}. Nothing was changed; take a copy of the folder from before, or start with another.`,
  );
}
