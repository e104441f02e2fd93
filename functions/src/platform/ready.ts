import type * as z from "zod";

const BEFORE = Buffer.from('{"result":');
const AFTER = Buffer.from("}");

/**
 * An answer of an action in the form in which it is sent, checked against its contract when it was made: whoever caches one answers
 * without checking and writing it out again.
 */
export class Ready {
  /** The body of a callable's answer: `{"result":…}`. */
  readonly body: Buffer;

  constructor(json: string) {
    this.body = Buffer.concat([BEFORE, Buffer.from(json), AFTER]);
  }

  /** The answer alone. */
  get json(): Buffer {
    return this.body.subarray(BEFORE.length, this.body.length - AFTER.length);
  }

  get byteLength(): number {
    return this.body.length;
  }

  /** The answer as a value. */
  value(): unknown {
    return JSON.parse(this.json.toString()) as unknown;
  }
}

/** Checks an answer and puts it into its form. Throws if it does not fit, which is our own mistake. */
export function ready<Shape extends z.ZodType>(shape: Shape, answer: z.input<Shape>): Ready {
  return new Ready(JSON.stringify(shape.parse(answer)));
}
