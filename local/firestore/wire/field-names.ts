import type protobuf from "protobufjs/light.js";

/** A field by either of the names that it has in JSON: `fieldPaths`, or `field_paths` as in the protocol. */
export function fieldNamed(type: protobuf.Type, name: string): protobuf.Field | undefined {
  for (const known of [name, camel(name)]) if (Object.hasOwn(type.fields, known)) return type.fields[known];
  return undefined;
}

export function camel(name: string): string {
  return name.includes("_") ? name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) : name;
}
