/** Text as a table: a heading, columns as wide as they need to be, numbers to the right. */
export function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => width(row[i] ?? ""))));
  const isNumeric = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => pad(cell, widths[i] ?? 0, isNumeric[i] ?? false))
      .join("  ")
      .trimEnd();
  const [heading = [], ...body] = cells;
  return [line(heading), widths.map((size) => "─".repeat(size)).join("  "), ...body.map(line)]
    .map((text) => `  ${text}`)
    .join("\n");
}

function pad(text: string, size: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, size - width(text)));
  return right ? space + text : text + space;
}

function width(text: string): number {
  return [...text].length;
}
