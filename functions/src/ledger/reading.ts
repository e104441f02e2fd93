import {
  type DocumentReference,
  type DocumentSnapshot,
  FieldPath,
  firestore,
  type Query,
  type QueryDocumentSnapshot,
  type Timestamp,
  type Transaction,
} from "../platform/firestore.ts";

/** Reads at one moment, each time in a transaction of its own, so that however long all of it takes none gets too old. */
export type Read = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** Firestore keeps the states of the last hour, and with point-in-time recovery those of a week by the minute. */
export function readingAt(readTime: Timestamp): Read {
  return (work) => firestore().runTransaction(work, { readOnly: true, readTime });
}

/** What does not fit: a document that is missing, changed, or not the one that should be there. */
export class Gap extends Error {
  override readonly name = "Gap";
  readonly document: string;

  constructor(document: string, what: string) {
    super(what);
    this.document = document;
  }
}

/** What a document says; throws {@link Gap} if it is not of its collection's shape. */
export function dataOf<Shape>(snapshot: DocumentSnapshot<Shape>): Shape | undefined {
  try {
    return snapshot.data();
  } catch (error) {
    const [, what = "unreadable"] = /is not as it should be: (.*)$/s.exec(String(error)) ?? [];
    throw new Gap(snapshot.ref.path, `it does not have the shape of its collection: ${what}`);
  }
}

const PAGE = 300;
/** Problems that are named; who finds so many has seen enough. */
const MAX_PROBLEMS = 50;

export interface Problem {
  /** The path of the document. */
  readonly document: string;
  readonly what: string;
}

/** Reads the books at one moment, and notes what does not fit. */
export class Reader {
  readonly problems: Problem[] = [];
  readonly read: Read;

  constructor(read: Read) {
    this.read = read;
  }

  note(document: string, what: string): void {
    const isKnown = this.problems.some((one) => one.document === document && one.what === what);
    if (!isKnown && this.problems.length < MAX_PROBLEMS) this.problems.push({ document, what });
  }

  /** Does something; a {@link Gap} is noted, and answered with "problem". */
  async noting<T>(work: () => Promise<T>): Promise<T | "problem"> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      this.note(error.document, error.message);
      return "problem";
    }
  }

  /** One document; "problem" if it does not have its collection's shape. */
  async get<Shape>(reference: DocumentReference<Shape>): Promise<Shape | undefined | "problem"> {
    const snapshot = await this.read((tx) => tx.get(reference));
    return await this.noting(async () => dataOf(snapshot));
  }

  /** All documents of a collection that have its shape, page by page. */
  async *pages<Shape>(query: Query<Shape>): AsyncGenerator<{ id: string; data: Shape }[]> {
    const ordered = query.orderBy(FieldPath.documentId()).limit(PAGE);
    let last: QueryDocumentSnapshot<Shape> | undefined;
    do {
      const page = last ? ordered.startAfter(last.id) : ordered;
      const { docs } = await this.read((tx) => tx.get(page));
      const readable: { id: string; data: Shape }[] = [];
      for (const document of docs) {
        const data = await this.noting(async () => dataOf(document));
        if (data !== "problem" && data !== undefined) readable.push({ id: document.id, data });
      }
      if (readable.length > 0) yield readable;
      last = docs.length < PAGE ? undefined : docs.at(-1);
    } while (last);
  }
}
