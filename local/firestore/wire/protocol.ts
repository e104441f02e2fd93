import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import protobuf from "protobufjs/light.js";
import { documentCodec, latLngCodec, type MessageCodec, timestampCodec, valueCodec } from "./codec.ts";

/**
 * `google.firestore.v1` as the official client library ships it, with the store's own form of values in the place of the
 * generated messages `Value`, `Document` and `Timestamp`, so that no second tree of objects is built per request.
 */
const PACKAGE = "google.firestore.v1";
const SERVICE = `${PACKAGE}.Firestore`;
const VERIFY_FIELD = 5;

const root = loadProtos();

/** A method of the service: how it is called and what it speaks. */
export interface Method {
  readonly name: string;
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The REST binding: HTTP verb, URL template, which part of the request is the body. */
  readonly http: readonly HttpBinding[];
}

export interface HttpBinding {
  readonly verb: "GET" | "POST" | "PATCH" | "DELETE";
  readonly template: string;
  /** `*`: the whole request; a name: that field; undefined: no body. */
  readonly body: string | undefined;
}

export const methods: ReadonlyMap<string, Method> = new Map(
  root
    .lookupService(SERVICE)
    .methodsArray.map((method) => [method.name, describe(method.resolve() as protobuf.Method)]),
);

function loadProtos(): protobuf.Root {
  const library = createRequire(import.meta.url).resolve("@google-cloud/firestore/package.json");
  const json = readFileSync(join(library, "../build/protos/v1.json"), "utf8");
  const loaded = protobuf.Root.fromJSON(JSON.parse(json) as protobuf.INamespace);
  addVerify(loaded.lookupType(`${PACKAGE}.Write`));
  loaded.resolveAll();
  dropDefaults(loaded);
  install(loaded, `${PACKAGE}.Value`, valueCodec);
  install(loaded, `${PACKAGE}.Document`, documentCodec);
  install(loaded, "google.protobuf.Timestamp", timestampCodec);
  install(loaded, "google.type.LatLng", latLngCodec);
  return loaded;
}

/** The Firebase SDK sends this for documents that a transaction has read and does not write. Source: its own `write.proto`. */
function addVerify(write: protobuf.Type): void {
  const verify = new protobuf.Field("verify", VERIFY_FIELD, "string");
  write.add(verify);
  write.oneofs.operation?.add(verify);
  verify.resolve();
}

/** Lets messages and members of a oneof that were not sent be `undefined`; plain scalars keep the default that proto3 gives them. */
function dropDefaults(namespace: protobuf.NamespaceBase): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) {
      const prototype = nested.ctor.prototype as unknown as Record<string, unknown>;
      for (const { name, partOf, resolvedType } of nested.fieldsArray) {
        if (partOf || resolvedType instanceof protobuf.Type) delete prototype[name];
      }
    }
    if (nested instanceof protobuf.Namespace) dropDefaults(nested);
  }
}

/** Puts a codec in the place of a generated one; the codecs of containing messages call it by the type's name at run time. */
function install<T>(loaded: protobuf.Root, name: string, codec: MessageCodec<T>): void {
  Object.assign(loaded.lookupType(name), { encode: codec.encode, decode: codec.decode });
}

function describe(method: protobuf.Method): Method {
  return {
    name: method.name,
    path: `/${SERVICE}/${method.name}`,
    request: method.resolvedRequestType as protobuf.Type,
    response: method.resolvedResponseType as protobuf.Type,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    http: httpBindings(method.options ?? {}),
  };
}

function httpBindings(options: Record<string, unknown>): HttpBinding[] {
  const bindings: HttpBinding[] = [];
  for (const rule of ["(google.api.http)", "(google.api.http).additional_bindings"]) {
    for (const verb of ["GET", "POST", "PATCH", "DELETE"] as const) {
      const template = options[`${rule}.${verb.toLowerCase()}`];
      if (typeof template !== "string") continue;
      const body = options[`${rule}.body`];
      bindings.push({ verb, template, body: typeof body === "string" ? body : undefined });
    }
  }
  return bindings;
}
