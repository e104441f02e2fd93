import type { Timestamp, Value } from "../model/value.ts";
import type { WireDocument } from "./codec.ts";

/**
 * The messages of `google/firestore/v1/*.proto` as handlers see them, whether they came over gRPC or as JSON. A message or a member
 * of a oneof that was not sent is absent, a plain scalar has its default; enums are numbers; bytes are Uint8Arrays.
 */
export interface DocumentMask {
  readonly fieldPaths: readonly string[];
}

export interface Precondition {
  readonly exists?: boolean;
  readonly updateTime?: Timestamp;
}

export interface FieldTransform {
  readonly fieldPath: string;
  /** 1: the time of the request. */
  readonly setToServerValue?: number;
  readonly increment?: Value;
  readonly maximum?: Value;
  readonly minimum?: Value;
  readonly appendMissingElements?: { readonly values?: readonly Value[] };
  readonly removeAllFromArray?: { readonly values?: readonly Value[] };
}

export interface Write {
  readonly update?: WireDocument;
  readonly delete?: string;
  /** Changes nothing, but for `currentDocument` has to hold. Apps send it; the published protocol has no word of it. */
  readonly verify?: string;
  readonly transform?: { readonly document: string; readonly fieldTransforms?: readonly FieldTransform[] };
  readonly updateMask?: DocumentMask;
  readonly updateTransforms?: readonly FieldTransform[];
  readonly currentDocument?: Precondition;
}

export interface WriteResult {
  readonly updateTime?: Timestamp;
  readonly transformResults?: readonly Value[];
}

export interface TransactionOptions {
  readonly readOnly?: { readonly readTime?: Timestamp };
  readonly readWrite?: { readonly retryTransaction?: Uint8Array };
}

/** How a read says which state it wants to see; at most one is present. */
export interface Consistency {
  readonly transaction?: Uint8Array;
  readonly newTransaction?: TransactionOptions;
  readonly readTime?: Timestamp;
}

export interface FieldReference {
  readonly fieldPath: string;
}

export interface Filter {
  readonly compositeFilter?: { readonly op: number; readonly filters?: readonly Filter[] };
  readonly fieldFilter?: { readonly field: FieldReference; readonly op: number; readonly value?: Value };
  readonly unaryFilter?: { readonly op: number; readonly field: FieldReference };
}

export interface Cursor {
  readonly values?: readonly Value[];
  readonly before?: boolean;
}

export interface StructuredQuery {
  readonly select?: { readonly fields?: readonly FieldReference[] };
  readonly from?: readonly { readonly collectionId?: string; readonly allDescendants?: boolean }[];
  readonly where?: Filter;
  readonly orderBy?: readonly { readonly field: FieldReference; readonly direction?: number }[];
  readonly startAt?: Cursor;
  readonly endAt?: Cursor;
  readonly offset?: number;
  readonly limit?: { readonly value?: number };
  readonly findNearest?: unknown;
}

export interface Aggregation {
  readonly alias?: string;
  readonly count?: { readonly upTo?: { readonly value?: unknown } };
  readonly sum?: { readonly field?: FieldReference };
  readonly avg?: { readonly field?: FieldReference };
}

export interface GetDocumentRequest extends Consistency {
  readonly name: string;
  readonly mask?: DocumentMask;
}

export interface ListDocumentsRequest extends Consistency {
  readonly parent: string;
  readonly collectionId?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly orderBy?: string;
  readonly mask?: DocumentMask;
  readonly showMissing?: boolean;
}

export interface CreateDocumentRequest {
  readonly parent: string;
  readonly collectionId: string;
  readonly documentId?: string;
  readonly document?: WireDocument;
  readonly mask?: DocumentMask;
}

export interface UpdateDocumentRequest {
  readonly document?: WireDocument;
  readonly updateMask?: DocumentMask;
  readonly mask?: DocumentMask;
  readonly currentDocument?: Precondition;
}

export interface DeleteDocumentRequest {
  readonly name: string;
  readonly currentDocument?: Precondition;
}

export interface BatchGetDocumentsRequest extends Consistency {
  readonly database: string;
  readonly documents?: readonly string[];
  readonly mask?: DocumentMask;
}

export interface BatchGetDocumentsResponse {
  readonly found?: WireDocument;
  readonly missing?: string;
  readonly transaction?: Uint8Array;
  readonly readTime?: Timestamp;
}

export interface BeginTransactionRequest {
  readonly database: string;
  readonly options?: TransactionOptions;
}

export interface CommitRequest {
  readonly database: string;
  readonly writes?: readonly Write[];
  readonly transaction?: Uint8Array;
}

export interface CommitResponse {
  readonly writeResults: readonly WriteResult[];
  readonly commitTime: Timestamp;
}

export interface RollbackRequest {
  readonly database: string;
  readonly transaction?: Uint8Array;
}

export interface BatchWriteRequest {
  readonly database: string;
  readonly writes?: readonly Write[];
}

export interface RunQueryRequest extends Consistency {
  readonly parent: string;
  readonly structuredQuery?: StructuredQuery;
  readonly explainOptions?: unknown;
}

export interface RunQueryResponse {
  readonly transaction?: Uint8Array;
  readonly document?: WireDocument;
  readonly readTime?: Timestamp;
  readonly skippedResults?: number;
}

export interface RunAggregationQueryRequest extends Consistency {
  readonly parent: string;
  readonly structuredAggregationQuery?: {
    readonly structuredQuery?: StructuredQuery;
    readonly aggregations?: readonly Aggregation[];
  };
  readonly explainOptions?: unknown;
}

export interface PartitionQueryRequest {
  readonly parent: string;
  readonly structuredQuery?: StructuredQuery;
  readonly partitionCount?: unknown;
  readonly pageToken?: string;
  readonly pageSize?: number;
  readonly readTime?: Timestamp;
}

/** What a client listens to. */
export interface Target {
  readonly targetId?: number;
  readonly query?: { readonly parent: string; readonly structuredQuery?: StructuredQuery };
  readonly documents?: { readonly documents?: readonly string[] };
  readonly resumeToken?: Uint8Array;
  readonly readTime?: Timestamp;
  /** Ends the target once it has been answered. */
  readonly once?: boolean;
  /** With a resume token: how many documents the client has of the target. */
  readonly expectedCount?: { readonly value?: number };
}

export interface ListenRequest {
  readonly database: string;
  readonly addTarget?: Target;
  readonly removeTarget?: number;
}

/** `TargetChange.TargetChangeType` */
export const TargetChangeType = { NO_CHANGE: 0, ADD: 1, REMOVE: 2, CURRENT: 3, RESET: 4 } as const;

export interface TargetChange {
  readonly targetChangeType: (typeof TargetChangeType)[keyof typeof TargetChangeType];
  /** Empty: all targets of the stream. */
  readonly targetIds: readonly number[];
  readonly cause?: { readonly code: number; readonly message: string };
  readonly resumeToken?: Uint8Array;
  readonly readTime?: Timestamp;
}

/** One member is present. */
export interface ListenResponse {
  readonly targetChange?: TargetChange;
  readonly documentChange?: {
    readonly document: WireDocument;
    readonly targetIds: readonly number[];
    readonly removedTargetIds: readonly number[];
  };
  readonly documentDelete?: {
    readonly document: string;
    readonly removedTargetIds: readonly number[];
    readonly readTime: Timestamp;
  };
  readonly documentRemove?: {
    readonly document: string;
    readonly removedTargetIds: readonly number[];
    readonly readTime: Timestamp;
  };
  readonly filter?: { readonly targetId: number; readonly count: number };
}

export interface WriteRequest {
  readonly database: string;
  readonly streamId?: string;
  readonly writes?: readonly Write[];
  readonly streamToken?: Uint8Array;
}

export interface WriteResponse {
  readonly streamId?: string;
  readonly streamToken: Uint8Array;
  readonly writeResults?: readonly WriteResult[];
  readonly commitTime?: Timestamp;
}

export interface ListCollectionIdsRequest {
  readonly parent: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly readTime?: Timestamp;
}
