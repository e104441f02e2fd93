import { FieldPath, type QueryDocumentSnapshot, Timestamp } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import { dataOf, Gap, type Read } from "./reading.ts";
import { type TransactionRecord, transactions } from "./records.ts";

/** A transaction in the chain of an account. */
export interface Linked {
  readonly id: string;
  readonly record: TransactionRecord;
}

/** A stretch of an account's chain: from a transaction, the `seq`-th, back to but without number `behind`. */
export interface Stretch {
  readonly account: string;
  readonly newest: string;
  readonly seq: number;
  readonly behind: number;
  /** The newest, if it was read before. */
  readonly record?: TransactionRecord | undefined;
}

const PAGE = 300;
/** Transactions of one chain that were read before it is their turn. */
const MAX_AHEAD = 2 * PAGE;
/** So many of one chain are in memory at a time; of longer chains, also the name of one in so many. */
const SEGMENT = 1_000;

/**
 * The transactions of a stretch, oldest first. They name each other backwards: a long chain is walked back once for where its segments
 * begin, and then again segment by segment. Throws {@link Gap} where it breaks. Bill: a read for each, two in a long chain.
 */
export async function* chain(read: Read, stretch: Stretch): AsyncGenerator<Linked> {
  const starts = await segments(read, stretch);
  for (const { newest, seq } of starts.reverse()) {
    const behind = Math.max(stretch.behind, seq - SEGMENT);
    const segment: Linked[] = [];
    const record = newest === stretch.newest ? stretch.record : undefined;
    for await (const link of back(read, { account: stretch.account, newest, seq, behind, record })) segment.push(link);
    yield* segment.reverse();
  }
}

/** The newest of each segment, the newest segment first. */
async function segments(read: Read, stretch: Stretch): Promise<{ newest: string; seq: number }[]> {
  const starts: { newest: string; seq: number }[] = [];
  if (stretch.seq - stretch.behind <= SEGMENT) return stretch.seq > stretch.behind ? [stretch] : [];
  let { seq } = stretch;
  for await (const { id } of back(read, stretch)) {
    if ((stretch.seq - seq) % SEGMENT === 0) starts.push({ newest: id, seq });
    seq--;
  }
  return starts;
}

/** The transactions of a stretch, newest first. */
async function* back(
  read: Read,
  { account, newest, seq: first, behind, record: known }: Stretch,
): AsyncGenerator<Linked> {
  const ahead = new Ahead(read, account);
  let [id, from] = [newest, `accounts/${account}`];
  for (let seq = first; seq > behind; seq--) {
    const record = id === newest && known ? ahead.after(known) : id && (await ahead.take(id, seq - behind));
    const link = record ? record.links[account] : undefined;
    if (!record || link?.seq !== seq) {
      throw new Gap(
        isDocumentId(id) ? `transactions/${id}` : from,
        `number ${seq} of ${account} should be here, and is not`,
      );
    }
    yield { id, record };
    from = `transactions/${id}`;
    id = link.previous;
  }
}

/** Reads transactions of an account by the page, in the order of their times, which is nearly that of the chain. */
class Ahead {
  readonly #read: Read;
  readonly #account: string;
  readonly #records = new Map<string, TransactionRecord>();
  #last: { at: Timestamp; id?: string } | undefined;
  #isOver = false;

  constructor(read: Read, account: string) {
    this.#read = read;
    this.#account = account;
  }

  /** One of them. @param left how many will be asked for, with this one */
  async take(id: string, left: number): Promise<TransactionRecord | undefined> {
    if (!this.#records.has(id) && this.#last && !this.#isOver) await this.#page(left);
    const record = this.#records.get(id) ?? (await this.#one(id));
    this.#records.delete(id);
    if (record) this.#last ??= { at: record.at };
    return record;
  }

  /** Goes on behind one that was read otherwise. */
  after(record: TransactionRecord): TransactionRecord {
    this.#last ??= { at: record.at };
    return record;
  }

  async #one(id: string): Promise<TransactionRecord | undefined> {
    if (!isDocumentId(id)) return undefined;
    return dataOf(await this.#read((tx) => tx.get(transactions().doc(id))));
  }

  async #page(left: number): Promise<void> {
    const { at, id } = this.#last ?? {};
    const all = transactions()
      .where("accounts", "array-contains", this.#account)
      .orderBy("at", "desc")
      .orderBy(FieldPath.documentId(), "desc");
    const rest = id === undefined ? all.startAt(at) : all.startAfter(at, id);
    const limit = Math.min(PAGE, left + 1);
    const { docs } = await this.#read((tx) => tx.get(rest.limit(limit)));
    for (const document of docs) this.#put(document);
    this.#isOver = docs.length < limit;
    for (const old of this.#records.keys()) {
      if (this.#records.size <= MAX_AHEAD) break;
      this.#records.delete(old);
    }
  }

  #put(document: QueryDocumentSnapshot<TransactionRecord>): void {
    const at: unknown = document.get("at");
    if (at instanceof Timestamp) this.#last = { at, id: document.id };
    try {
      this.#records.set(document.id, document.data());
    } catch {
      // Whoever asks for it hears of it then.
    }
  }
}
