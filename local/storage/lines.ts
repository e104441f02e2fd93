/** Characters of a line at most. The longest that the CLI sends holds a document of 1 MiB or rules of 256 KiB, escaped. */
export const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** The lines of a stream of text. One that is too long is undefined, and its characters are let go. */
export async function* linesOf(stream: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  let parts: string[] = [];
  let length = 0;
  const take = (): string | undefined => {
    const line = length > MAX_LINE_CHARACTERS ? undefined : parts.join("");
    parts = [];
    length = 0;
    return line;
  };
  const add = (part: string): void => {
    length += part.length;
    if (length > MAX_LINE_CHARACTERS) parts = [];
    else parts.push(part);
  };
  for await (const chunk of stream) {
    const [first = "", ...more] = chunk.split("\n");
    add(first);
    for (const part of more) {
      yield take();
      add(part);
    }
  }
  if (length > 0) yield take();
}
